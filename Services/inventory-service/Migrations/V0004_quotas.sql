-- What people may hold. What they do hold is counted where it stands, so that no number can differ from it.

-- The row of a person is locked by whoever takes something new for them.
CREATE TABLE inventory.accounts (
  owner    uuid PRIMARY KEY,
  -- As the gateway told them last: by resource; what is absent is unlimited.
  limits   jsonb NOT NULL DEFAULT '{}',
  -- Of those; an older word does not replace a newer one.
  revision bigint NOT NULL DEFAULT 0
);

ALTER TABLE inventory.images
  -- Bytes that count for the owner while the image is being made: those that have come, or are sure to come.
  ADD COLUMN charged bigint NOT NULL DEFAULT 0 CHECK (charged >= 0);

-- Counting reads the indexes alone.
DROP INDEX inventory.images_owner, inventory.vms_owner;
CREATE INDEX images_owner ON inventory.images (owner) INCLUDE (state, size, charged) WHERE deleted_at IS NULL;
CREATE INDEX vms_owner ON inventory.vms (owner) INCLUDE (vcpus, mem, disk);
