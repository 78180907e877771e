-- The life of VMs on many hosts: what they should be, what was seen of them, who may be overtaken by whom.

ALTER TABLE inventory.hosts
  -- An administrator's word, and whether the agent answers; what people see is made of both.
  ADD COLUMN wanted text NOT NULL DEFAULT 'up' CHECK (wanted IN ('up', 'maintenance', 'dead', 'removing')),
  ADD COLUMN reachable boolean NOT NULL DEFAULT true,
  -- Rises when the host is declared dead: its agent refuses commands of an earlier one.
  ADD COLUMN generation bigint NOT NULL DEFAULT 1,
  ADD COLUMN hostname text NOT NULL DEFAULT '',
  ADD COLUMN cpu_model text NOT NULL DEFAULT '',
  ADD COLUMN agent_version text NOT NULL DEFAULT '',
  -- Multiples of what the host has that placement may promise.
  ADD COLUMN cpu_overcommit float8 NOT NULL DEFAULT 4 CHECK (cpu_overcommit > 0),
  ADD COLUMN mem_overcommit float8 NOT NULL DEFAULT 1 CHECK (mem_overcommit > 0),
  ADD COLUMN disk_overcommit float8 NOT NULL DEFAULT 1 CHECK (disk_overcommit > 0),
  -- The run of the agent and the number of the last report that was stored; a late one is not.
  ADD COLUMN report_run uuid,
  ADD COLUMN report_sequence bigint NOT NULL DEFAULT 0,
  -- VMs that nobody knows and that were put aside there.
  ADD COLUMN quarantined jsonb NOT NULL DEFAULT '[]';
UPDATE inventory.hosts SET wanted = CASE state WHEN 'maintenance' THEN 'maintenance' ELSE 'up' END,
  reachable = state <> 'unreachable';
ALTER TABLE inventory.hosts DROP COLUMN state;
ALTER TABLE inventory.hosts ADD COLUMN state text NOT NULL GENERATED ALWAYS AS (
  CASE WHEN wanted IN ('dead', 'removing') THEN wanted WHEN NOT reachable THEN 'unreachable' ELSE wanted END) STORED;

ALTER TABLE inventory.vms
  -- VMs of one owner and group are on different hosts.
  ADD COLUMN placement_group text,
  ADD COLUMN user_data text,
  -- Which start this is, and which disk: of each, the agent carries out one with a higher number once.
  ADD COLUMN boot bigint NOT NULL DEFAULT 1,
  ADD COLUMN disk_number bigint NOT NULL DEFAULT 1,
  -- While it moves: where to. Its room is reserved there too.
  ADD COLUMN moving_to uuid REFERENCES inventory.hosts,
  -- The last report that was taken into account; one that says the same need not be looked at.
  ADD COLUMN seen jsonb,
  -- Whether the next report is to be looked at whatever it says.
  ADD COLUMN stale boolean NOT NULL DEFAULT true,
  ADD COLUMN readiness jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN host_keys jsonb NOT NULL DEFAULT '[]',
  DROP CONSTRAINT vms_desired_check,
  ADD CONSTRAINT vms_desired_check CHECK (desired IN ('running', 'paused', 'stopped', 'deleted'));
CREATE INDEX vms_moving_to ON inventory.vms (moving_to) WHERE moving_to IS NOT NULL;
CREATE INDEX vms_group ON inventory.vms (owner, placement_group) WHERE placement_group IS NOT NULL;

-- What may still lie on a host although it was removed or moved away: it is removed there as soon as the host answers.
-- Only what stands here is ever removed without being known.
CREATE TABLE inventory.tombstones (
  host       uuid NOT NULL REFERENCES inventory.hosts ON DELETE CASCADE,
  vm         uuid NOT NULL,
  -- The commands of it that are overtaken.
  generation bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (host, vm)
);

ALTER TABLE inventory.images
  ADD COLUMN arch text NOT NULL DEFAULT 'x86_64',
  -- Of a snapshot: the VM, its host, and the operation that copies its disk there.
  ADD COLUMN source_vm uuid,
  ADD COLUMN source_host uuid,
  ADD COLUMN capture uuid,
  ADD COLUMN consistency text CHECK (consistency IN ('frozen', 'stopped', 'crash'));

-- Since when the guest has been asked to end, by an operation that needs that.
ALTER TABLE inventory.operations ADD COLUMN asked_at timestamptz;
CREATE INDEX images_capture ON inventory.images (capture) WHERE capture IS NOT NULL;
CREATE INDEX images_source_vm ON inventory.images (source_vm) WHERE source_vm IS NOT NULL;

-- Only what begins or ends is announced, not that work on it goes on.
DROP TRIGGER operations_announce ON inventory.operations;
CREATE TRIGGER operations_added AFTER INSERT ON inventory.operations
  FOR EACH ROW EXECUTE FUNCTION inventory.announce_operation();
CREATE TRIGGER operations_changed AFTER UPDATE OF status ON inventory.operations
  FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION inventory.announce_operation();

CREATE TABLE inventory.ssh_keys (
  id          uuid PRIMARY KEY,
  owner       uuid NOT NULL,
  name        text NOT NULL,
  key         text NOT NULL,
  fingerprint text NOT NULL,
  is_default  boolean NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT ssh_keys_name_key UNIQUE (owner, name)
);
CREATE INDEX ssh_keys_order ON inventory.ssh_keys (owner, created_at, id);

-- What was answered to a request that may come again.
CREATE TABLE inventory.idempotency (
  caller     uuid NOT NULL,
  key        text NOT NULL,
  -- SHA-256 of what was asked for.
  request    bytea NOT NULL,
  answer     text,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_created ON inventory.idempotency (created_at);
