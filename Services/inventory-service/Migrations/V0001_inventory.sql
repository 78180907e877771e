-- Hosts, images, VMs, who may use them, and the work that is under way.

-- One row: which installation this is. An agent belongs to one.
CREATE TABLE inventory.installation (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  id        uuid NOT NULL
);

CREATE TABLE inventory.hosts (
  id             uuid PRIMARY KEY,
  addr           text NOT NULL,
  agent_user     text NOT NULL,
  state          text NOT NULL DEFAULT 'up' CHECK (state IN ('up', 'unreachable', 'maintenance')),
  certificate    bytea NOT NULL,
  fingerprint    text NOT NULL,
  sealed_secret  bytea NOT NULL,
  hypervisor     text NOT NULL,
  virtualisation text NOT NULL,
  arch           text NOT NULL,
  boot_id        text NOT NULL,
  -- What the host has, and what is promised to VMs: memory in MiB, disk in GiB.
  cpus           bigint NOT NULL,
  mem            bigint NOT NULL,
  disk           bigint NOT NULL,
  cpus_allocated bigint NOT NULL DEFAULT 0 CHECK (cpus_allocated >= 0),
  mem_allocated  bigint NOT NULL DEFAULT 0 CHECK (mem_allocated >= 0),
  disk_allocated bigint NOT NULL DEFAULT 0 CHECK (disk_allocated >= 0),
  created_at     timestamptz NOT NULL DEFAULT now(),
  -- Whose turn it is to ask for the next report, and when.
  next_report_at timestamptz NOT NULL DEFAULT now(),
  last_report_at timestamptz,
  CONSTRAINT hosts_addr_key UNIQUE (addr),
  CONSTRAINT hosts_fingerprint_key UNIQUE (fingerprint)
);
CREATE INDEX hosts_order ON inventory.hosts (created_at, id);
CREATE INDEX hosts_next_report ON inventory.hosts (next_report_at);

CREATE TABLE inventory.images (
  id              uuid PRIMARY KEY,
  owner           uuid NOT NULL,
  name            text NOT NULL,
  description     text NOT NULL,
  url             text NOT NULL,
  expected_sha256 text,
  state           text NOT NULL CHECK (state IN ('importing', 'available', 'error')),
  error_code      text,
  error_message   text,
  size            bigint,
  virtual_size    bigint,
  sha256          text,
  created_at      timestamptz NOT NULL DEFAULT now(),
  -- Set when it leaves the catalogue; the row stays while VMs need the file.
  deleted_at      timestamptz
);
CREATE INDEX images_order ON inventory.images (created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX images_owner ON inventory.images (owner) WHERE deleted_at IS NULL;
CREATE INDEX images_deleted ON inventory.images (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE inventory.vms (
  id                  uuid PRIMARY KEY,
  owner               uuid NOT NULL,
  name                text NOT NULL,
  image               uuid NOT NULL REFERENCES inventory.images,
  host                uuid NOT NULL REFERENCES inventory.hosts,
  mem                 bigint NOT NULL,
  vcpus               bigint NOT NULL,
  disk                bigint NOT NULL,
  ssh_keys            text NOT NULL,
  -- What was asked for. The generation rises with every change of it.
  desired             text NOT NULL CHECK (desired IN ('running', 'stopped', 'deleted')),
  generation          bigint NOT NULL DEFAULT 1,
  -- What people see, and what was last seen of it.
  state               text NOT NULL CHECK (state IN
    ('creating', 'stopped', 'starting', 'running', 'paused', 'stopping', 'deleting', 'error', 'unknown')),
  reason              text,
  observed_generation bigint NOT NULL DEFAULT 0,
  observed_at         timestamptz,
  addresses           text NOT NULL DEFAULT '[]',
  created_at          timestamptz NOT NULL DEFAULT now(),
  started_at          timestamptz
);
CREATE INDEX vms_order ON inventory.vms (created_at, id);
CREATE INDEX vms_owner ON inventory.vms (owner);
CREATE INDEX vms_host ON inventory.vms (host);
CREATE INDEX vms_image ON inventory.vms (image);

CREATE TABLE inventory.permissions (
  user_id    uuid NOT NULL,
  resource   uuid NOT NULL,
  type       text NOT NULL CHECK (type IN ('image', 'vm')),
  role       text NOT NULL CHECK (role IN ('owner', 'operator', 'viewer')),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, resource)
);
CREATE INDEX permissions_resource ON inventory.permissions (resource);

CREATE TABLE inventory.operations (
  id             uuid PRIMARY KEY,
  kind           text NOT NULL,
  resource       uuid NOT NULL,
  owner          uuid NOT NULL,
  status         text NOT NULL DEFAULT 'pending'
    CHECK (status IN ('pending', 'running', 'done', 'failed', 'cancelled')),
  step           text,
  progress_done  bigint,
  progress_total bigint,
  error_code     text,
  error_message  text,
  request_id     text,
  created_at     timestamptz NOT NULL DEFAULT now(),
  ended_at       timestamptz,
  -- The lease: who holds it is told by the epoch, and all times are the database's.
  epoch          bigint NOT NULL DEFAULT 0,
  attempts       bigint NOT NULL DEFAULT 0,
  due_at         timestamptz NOT NULL DEFAULT now(),
  deadline_at    timestamptz NOT NULL
);
CREATE INDEX operations_due ON inventory.operations (due_at) WHERE status IN ('pending', 'running');
CREATE INDEX operations_owner ON inventory.operations (owner, created_at);
-- One thing at a time is done to a resource.
CREATE UNIQUE INDEX operations_active ON inventory.operations (resource) WHERE status IN ('pending', 'running');

CREATE FUNCTION inventory.announce_operation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('inventory_operations', '');
  RETURN NULL;
END $$;
CREATE TRIGGER operations_announce AFTER INSERT OR UPDATE OF status ON inventory.operations
  FOR EACH STATEMENT EXECUTE FUNCTION inventory.announce_operation();
