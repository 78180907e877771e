-- Uploads, checksum lists, shares that end, and lists whose pages cost the same however many rows there are.

ALTER TABLE inventory.images
  -- Nil for an image whose content is uploaded.
  ALTER COLUMN url DROP NOT NULL,
  -- The URL of the publisher's list of checksums.
  ADD COLUMN checksums text,
  -- The epoch of the claim under which the whole content was received; the staged file bears it in its name.
  ADD COLUMN staged bigint;
CREATE INDEX images_name ON inventory.images (name, id) WHERE deleted_at IS NULL;
CREATE INDEX images_sha256 ON inventory.images (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX vms_name ON inventory.vms (name, id);

ALTER TABLE inventory.permissions ADD COLUMN expires_at timestamptz;
CREATE INDEX permissions_expiry ON inventory.permissions (expires_at) WHERE expires_at IS NOT NULL;

-- Bytes a second.
ALTER TABLE inventory.operations ADD COLUMN progress_rate bigint;
CREATE INDEX operations_order ON inventory.operations (created_at, id);

-- How many rows a list has in all, kept by those who add and remove them; in several slots, so that they seldom wait
-- for one another. The number is the sum of the slots.
CREATE TABLE inventory.counts (
  collection text NOT NULL,
  slot       integer NOT NULL,
  number     bigint NOT NULL,
  PRIMARY KEY (collection, slot)
);

CREATE FUNCTION inventory.count(collection text, change bigint) RETURNS void LANGUAGE sql AS $$
  INSERT INTO inventory.counts AS c VALUES (collection, pg_backend_pid() % 16, change)
  ON CONFLICT ON CONSTRAINT counts_pkey DO UPDATE SET number = c.number + excluded.number
$$;
CREATE FUNCTION inventory.count_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM inventory.count(TG_ARGV[0], (SELECT count(*) FROM changed));
  RETURN NULL;
END $$;
CREATE FUNCTION inventory.count_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM inventory.count(TG_ARGV[0], -(SELECT count(*) FROM changed));
  RETURN NULL;
END $$;
CREATE FUNCTION inventory.count_one_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM inventory.count(TG_ARGV[0], -1);
  RETURN NULL;
END $$;

CREATE TRIGGER vms_added AFTER INSERT ON inventory.vms REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION inventory.count_added('vms');
CREATE TRIGGER vms_removed AFTER DELETE ON inventory.vms REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION inventory.count_removed('vms');
CREATE TRIGGER images_added AFTER INSERT ON inventory.images REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION inventory.count_added('images');
-- An image leaves its list when it is marked as removed, not when its row goes.
CREATE TRIGGER images_removed AFTER UPDATE OF deleted_at ON inventory.images
  FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
  EXECUTE FUNCTION inventory.count_one_removed('images');

INSERT INTO inventory.counts
  SELECT 'vms', 0, count(*) FROM inventory.vms UNION ALL
  SELECT 'images', 0, count(*) FROM inventory.images WHERE deleted_at IS NULL;
