-- What people consume in a calendar month (UTC).

ALTER TABLE inventory.hosts
  -- The reading that was counted last: of which boot of the host, how many milliseconds after it, and when its report was
  -- asked for. The same one, or an earlier one, counts nothing.
  ADD COLUMN metered_boot text,
  ADD COLUMN metered_uptime bigint,
  ADD COLUMN metered_asked_at timestamptz;

-- The counters of each VM when they were last read. They begin at 0 with each start of the guest.
CREATE TABLE inventory.meters (
  vm              uuid PRIMARY KEY REFERENCES inventory.vms ON DELETE CASCADE,
  -- Which start.
  run             text NOT NULL,
  -- Milliseconds since the boot of the host.
  uptime          bigint NOT NULL,
  -- Microseconds, and bytes.
  cpu             bigint,
  disk_read       bigint,
  disk_written    bigint,
  net_rx          bigint,
  net_tx          bigint
) WITH (fillfactor = 50);

-- What was consumed stays, whatever becomes of the VMs.
CREATE TABLE inventory.consumption (
  owner        uuid NOT NULL,
  -- Its first day.
  month        date NOT NULL,
  -- Microseconds of processor time, and MiB of memory times milliseconds.
  cpu          bigint NOT NULL,
  mem          bigint NOT NULL,
  disk_read    bigint NOT NULL,
  disk_written bigint NOT NULL,
  net_rx       bigint NOT NULL,
  net_tx       bigint NOT NULL,
  PRIMARY KEY (owner, month)
) WITH (fillfactor = 50);
CREATE INDEX consumption_month ON inventory.consumption (month, owner);

-- How much a counter has grown: all of it when it began anew.
CREATE FUNCTION inventory.growth(before bigint, after bigint, is_same_run boolean) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN after IS NULL THEN 0
    WHEN is_same_run AND before IS NOT NULL AND after >= before THEN after - before ELSE after END
$$;
