-- How Postgres carries out the statement of `Placement.swift` that chooses a host, with literals in the place of
-- parameters. What it locks is let go.

\pset format unaligned
\pset tuples_only on
BEGIN;
EXPLAIN (ANALYZE, BUFFERS, COSTS OFF)
SELECT h.id FROM inventory.hosts h
WHERE h.state = 'up' AND h.arch = 'x86_64' AND true AND h.cpus_allocated + 1 <= h.cpus * h.cpu_overcommit
  AND h.mem_allocated + 64 <= h.mem * h.mem_overcommit AND h.disk_allocated + 1 <= h.disk * h.disk_overcommit
  AND NOT false AND NOT false
ORDER BY 4 * (1 - h.mem_allocated / (h.mem * h.mem_overcommit))
  + 2 * (1 - h.cpus_allocated / (h.cpus * h.cpu_overcommit))
  + (1 - h.disk_allocated / (h.disk * h.disk_overcommit)) DESC, h.id
LIMIT 1 FOR UPDATE OF h SKIP LOCKED;
ROLLBACK;
