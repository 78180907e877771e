-- Lists whose pages cost the same however many rows there are.

CREATE INDEX users_email ON auth.users (email, id);
CREATE TABLE auth.counts (
  collection text NOT NULL,
  slot       integer NOT NULL,
  number     bigint NOT NULL,
  PRIMARY KEY (collection, slot)
);
-- The number of users is the sum of the slots, which keep those who add and remove users from waiting for one another.
CREATE FUNCTION auth.count_users() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO auth.counts AS c
    SELECT 'users', pg_backend_pid() % 16, CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END FROM changed
    ON CONFLICT ON CONSTRAINT counts_pkey DO UPDATE SET number = c.number + excluded.number;
  RETURN NULL;
END $$;
CREATE TRIGGER users_added AFTER INSERT ON auth.users REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION auth.count_users();
CREATE TRIGGER users_removed AFTER DELETE ON auth.users REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION auth.count_users();
INSERT INTO auth.counts SELECT 'users', 0, count(*) FROM auth.users;
