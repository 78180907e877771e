-- Accounts that can be disabled, second factors, sessions that are seen, guesses that are counted, invitations, and the
-- record of who did what.

ALTER TABLE auth.users
  ADD COLUMN disabled boolean NOT NULL DEFAULT false,
  -- The limits set for this person, as JSON.
  ADD COLUMN quota text NOT NULL DEFAULT '{}',
  -- The secret of the second factor, sealed. It counts when it has been confirmed; a step is used once.
  ADD COLUMN totp_secret bytea,
  ADD COLUMN totp_confirmed boolean NOT NULL DEFAULT false,
  ADD COLUMN totp_step bigint NOT NULL DEFAULT 0;
CREATE INDEX users_administrators ON auth.users (id) WHERE admin AND NOT disabled;

CREATE TABLE auth.recovery_codes (
  user_id uuid NOT NULL REFERENCES auth.users ON DELETE CASCADE,
  digest  bytea NOT NULL,
  PRIMARY KEY (user_id, digest)
);

ALTER TABLE auth.sessions
  ADD COLUMN last_used_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN address text,
  ADD COLUMN client text;

-- Attempts to log in, by account and by address; also for accounts that do not exist, so that they look alike.
CREATE TABLE auth.attempts (
  key           text PRIMARY KEY,
  failures      bigint NOT NULL,
  last_at       timestamptz NOT NULL DEFAULT now(),
  blocked_until timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX attempts_last ON auth.attempts (last_at);

CREATE TABLE auth.invitations (
  id         uuid PRIMARY KEY,
  digest     bytea NOT NULL UNIQUE,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX invitations_order ON auth.invitations (created_at, id);

CREATE TABLE auth.audit (
  id         uuid PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- No reference: the id of someone who was removed stays as their pseudonym.
  actor      uuid,
  action     text NOT NULL,
  resource   uuid,
  address    text,
  -- Nil until the answer was given.
  status     bigint,
  request_id text
);
CREATE INDEX audit_order ON auth.audit (created_at, id);
CREATE INDEX audit_actor ON auth.audit (actor, created_at);
CREATE INDEX audit_resource ON auth.audit (resource, created_at);

-- Rows are added and never taken away. What is open may be filled in once, and an address may be forgotten.
CREATE FUNCTION auth.keep_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE'
    OR (NEW.id, NEW.created_at, NEW.actor, NEW.action, NEW.request_id)
      IS DISTINCT FROM (OLD.id, OLD.created_at, OLD.actor, OLD.action, OLD.request_id)
    OR (OLD.status IS NOT NULL AND NEW.status IS DISTINCT FROM OLD.status)
    OR (OLD.resource IS NOT NULL AND NEW.resource IS DISTINCT FROM OLD.resource)
    OR (NEW.address IS NOT NULL AND NEW.address IS DISTINCT FROM OLD.address)
  THEN
    RAISE EXCEPTION 'the audit log is append-only';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER audit_kept BEFORE UPDATE OR DELETE ON auth.audit
  FOR EACH ROW EXECUTE FUNCTION auth.keep_audit();
CREATE TRIGGER audit_not_truncated BEFORE TRUNCATE ON auth.audit
  FOR EACH STATEMENT EXECUTE FUNCTION auth.keep_audit();
