-- What was answered to a request that may come again.
CREATE TABLE auth.idempotency (
  caller     uuid NOT NULL,
  key        text NOT NULL,
  -- SHA-256 of what was asked for, without secrets.
  request    bytea NOT NULL,
  answer     text,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_created ON auth.idempotency (created_at);
