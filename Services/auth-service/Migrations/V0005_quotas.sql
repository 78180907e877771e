-- Rises with each change of a user's quota: who hears of two changes in the wrong order keeps the newer one.
ALTER TABLE auth.users ADD COLUMN quota_revision bigint NOT NULL DEFAULT 0;
