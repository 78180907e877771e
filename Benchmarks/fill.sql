-- :rows VMs of one image on one host, made a second apart, of up to a thousand owners, each with the permission on
-- theirs. Besides, :member may see 1,000 of them, evenly spread, and :newcomer the newest 1,000; or all if there are
-- fewer. Whatever VMs there were are gone.

BEGIN;
TRUNCATE inventory.meters, inventory.vms, inventory.permissions;
-- TRUNCATE fires none of the triggers that count.
DELETE FROM inventory.counts WHERE collection = 'vms';

INSERT INTO inventory.images (id, owner, name, description, state)
VALUES ('00000000-0000-7000-8000-000000000001', :'member', 'image', '', 'available') ON CONFLICT DO NOTHING;

-- No agent answers for this host, so its report is never due.
INSERT INTO inventory.hosts (id, addr, agent_user, certificate, fingerprint, sealed_secret, hypervisor, virtualisation,
  arch, boot_id, cpus, mem, disk, next_report_at)
VALUES ('00000000-0000-7000-8000-000000000002', 'host.invalid', '', '', '', '', '', 'emulated', 'x86_64', '', 1, 1, 1,
  'infinity') ON CONFLICT DO NOTHING;

-- Ids rise with time, as those of UUID version 7 do.
CREATE FUNCTION pg_temp.vm(n bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS $$
  SELECT ('00000000-0000-7000-8001-' || lpad(to_hex(n), 12, '0'))::uuid
$$;
CREATE FUNCTION pg_temp.owner(n bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS $$
  SELECT ('00000000-0000-7000-8002-' || lpad(to_hex(n % 1000), 12, '0'))::uuid
$$;

INSERT INTO inventory.vms (id, owner, name, image, host, mem, vcpus, disk, ssh_keys, desired, state, observed_at,
  created_at)
SELECT pg_temp.vm(n), pg_temp.owner(n), 'vm-' || n, '00000000-0000-7000-8000-000000000001',
  '00000000-0000-7000-8000-000000000002', 512, 1, 10, '[]', 'stopped',
  CASE n % 1000 WHEN 50 THEN 'error' ELSE 'stopped' END, now(),
  timestamptz '2020-01-01 00:00:00Z' + n * interval '1 second'
FROM generate_series(1, :rows) n;

INSERT INTO inventory.permissions (user_id, resource, type, role) SELECT owner, id, 'vm', 'owner' FROM inventory.vms;
INSERT INTO inventory.permissions (user_id, resource, type, role)
SELECT :'member', pg_temp.vm(n), 'vm', 'viewer' FROM generate_series(:rows, 1, -greatest(1, :rows / 1000)) n LIMIT 1000;
INSERT INTO inventory.permissions (user_id, resource, type, role)
SELECT :'newcomer', pg_temp.vm(n), 'vm', 'viewer' FROM generate_series(greatest(1, :rows - 999), :rows) n;
COMMIT;

VACUUM ANALYZE inventory.vms, inventory.permissions;
