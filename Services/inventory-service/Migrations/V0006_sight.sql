-- What guests do, what they may do at most, and when people come near what they may have.

ALTER TABLE inventory.vms
  -- NULL for none.
  ADD COLUMN caps jsonb,
  -- Since when it has used nearly all the processor time that it can.
  ADD COLUMN busy_since timestamptz;
CREATE INDEX vms_busy ON inventory.vms (busy_since) WHERE busy_since IS NOT NULL;

-- Four fifths, or all, of a limit were reached.
CREATE TABLE inventory.quota_events (
  id       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  owner    uuid NOT NULL,
  resource text NOT NULL,
  -- Percent of the limit: 80 or 100.
  level    smallint NOT NULL,
  used     bigint NOT NULL,
  quota    bigint NOT NULL,
  at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX quota_events_owner ON inventory.quota_events (owner, at);
CREATE INDEX quota_events_at ON inventory.quota_events (at);

-- How guests are measured over time: in fine steps for a short while, in coarse ones for long.
CREATE TABLE inventory.sample_steps (
  -- Seconds.
  step    integer PRIMARY KEY,
  -- Of which finer one its samples are sums.
  finer   integer,
  -- What one partition spans, and how long the samples are kept.
  span    interval NOT NULL,
  kept    interval NOT NULL,
  -- Before this, all samples of this step are there.
  until   timestamptz NOT NULL
);
INSERT INTO inventory.sample_steps VALUES
  (10, NULL, '1 hour', '1 hour', now()),
  (60, 10, '6 hours', '1 day', date_bin('1 minute', now(), 'epoch')),
  (600, 60, '7 days', '31 days', date_bin('10 minutes', now(), 'epoch'));

CREATE TABLE inventory.samples (
  step         integer NOT NULL,
  vm           uuid NOT NULL,
  -- When the step began.
  at           timestamptz NOT NULL,
  -- Milliseconds that were measured.
  measured     bigint NOT NULL,
  vcpus        integer NOT NULL,
  -- MiB that the guest had, and that it used on average where it said so.
  mem          bigint,
  mem_used     bigint,
  -- Microseconds, and bytes, in that time.
  cpu          bigint NOT NULL,
  disk_read    bigint NOT NULL,
  disk_written bigint NOT NULL,
  net_rx       bigint NOT NULL,
  net_tx       bigint NOT NULL,
  PRIMARY KEY (step, vm, at)
) PARTITION BY LIST (step);
CREATE TABLE inventory.samples_10 PARTITION OF inventory.samples FOR VALUES IN (10) PARTITION BY RANGE (at);
CREATE TABLE inventory.samples_60 PARTITION OF inventory.samples FOR VALUES IN (60) PARTITION BY RANGE (at);
CREATE TABLE inventory.samples_600 PARTITION OF inventory.samples FOR VALUES IN (600) PARTITION BY RANGE (at);

-- Makes the partitions that samples of this moment, of soon, and of what is still to be made coarse go to.
CREATE FUNCTION inventory.make_sample_partitions() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  this record;
BEGIN
  FOR this IN
    SELECT s.step, b.start, b.start + s.span AS past, format('samples_%s_%s', s.step, extract(epoch FROM b.start)::bigint) AS name
    FROM inventory.sample_steps s, LATERAL (
      SELECT date_bin(s.span, moment, 'epoch') AS start
      FROM unnest(ARRAY[now(), now() + s.span, now() + 2 * s.span]
        || CASE WHEN s.finer IS NOT NULL THEN ARRAY[s.until, s.until + s.span] END) AS moment
      GROUP BY 1
    ) b
  LOOP
    IF to_regclass(format('inventory.%I', this.name)) IS NULL THEN
      EXECUTE format('CREATE TABLE inventory.%I PARTITION OF inventory.samples_%s FOR VALUES FROM (%L) TO (%L)',
        this.name, this.step, this.start, this.past);
    END IF;
  END LOOP;
END $$;
SELECT inventory.make_sample_partitions();

-- Whether there is a partition for a fine sample of this moment. What people are charged does not depend on it.
CREATE FUNCTION inventory.takes_samples() RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT to_regclass(format('inventory.samples_%s_%s', s.step, extract(epoch FROM date_bin(s.span, now(), 'epoch'))::bigint))
    IS NOT NULL
  FROM inventory.sample_steps s WHERE s.finer IS NULL
$$;

-- Drops the partitions whose samples are kept no longer, and are in the next coarser step.
CREATE FUNCTION inventory.drop_sample_partitions() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  this record;
BEGIN
  FOR this IN
    SELECT c.relname AS name
    FROM inventory.sample_steps s
      JOIN pg_inherits i ON i.inhparent = format('inventory.samples_%s', s.step)::regclass
      JOIN pg_class c ON c.oid = i.inhrelid
      LEFT JOIN inventory.sample_steps coarser ON coarser.finer = s.step
      CROSS JOIN LATERAL (SELECT to_timestamp(split_part(c.relname, '_', 3)::bigint) + s.span AS past) p
    WHERE p.past <= now() - s.kept AND p.past <= coalesce(coarser.until, now())
  LOOP
    EXECUTE format('DROP TABLE inventory.%I', this.name);
  END LOOP;
END $$;
