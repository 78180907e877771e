-- How Postgres carries out the statements of `Listing.swift` for one caller, with literals in the place of parameters.
-- :visible is what the caller may see, :count how all of it is counted, :middle the time of a VM in the middle, :vm an
-- id and :name the name of that VM.

\pset format unaligned
\pset tuples_only on
\set explain 'EXPLAIN (ANALYZE, BUFFERS, COSTS OFF)'
\set columns 'v.id, v.owner, v.name, v.image, v.host, v.mem, v.vcpus, v.disk,'
\set columns :columns ' v.state, v.reason, v.addresses, v.created_at, v.started_at'
\set by_time '(v.created_at)::text AS sort_key, v.id AS sort_id FROM inventory.vms v WHERE'
\set by_name '(v.name)::text AS sort_key, v.id AS sort_id FROM inventory.vms v WHERE'

\echo
\echo '##' :caller: first page
:explain SELECT :columns, :by_time :visible ORDER BY v.created_at ASC, v.id ASC LIMIT 51::bigint;
\echo
\echo '##' :caller: first page, limit=1
:explain SELECT :columns, :by_time :visible ORDER BY v.created_at ASC, v.id ASC LIMIT 2::bigint;
\echo
\echo '##' :caller: how many there are
:explain :count;
\echo
\echo '##' :caller: middle page
:explain SELECT :columns, :by_time :visible AND (v.created_at, v.id) > (:'middle'::timestamptz, :'vm'::uuid)
  ORDER BY v.created_at ASC, v.id ASC LIMIT 51::bigint;
\echo
\echo '##' :caller: sort=name
:explain SELECT :columns, :by_name :visible ORDER BY v.name ASC, v.id ASC LIMIT 51::bigint;
\echo
\echo '##' :caller: sort=-createdAt
:explain SELECT :columns, :by_time :visible ORDER BY v.created_at DESC, v.id DESC LIMIT 51::bigint;
\echo
\echo '##' :caller: query by id
:explain SELECT :columns, :by_time :visible AND (v.id = :'vm'::uuid)
  ORDER BY v.created_at ASC, v.id ASC LIMIT 51::bigint;
\echo
\echo '##' :caller: query by name
:explain SELECT :columns, :by_time :visible AND (v.name = :'name'::text)
  ORDER BY v.created_at ASC, v.id ASC LIMIT 51::bigint;
\echo
\echo '##' :caller: query by state
:explain SELECT :columns, :by_time :visible AND (v.state = 'error'::text)
  ORDER BY v.created_at ASC, v.id ASC LIMIT 51::bigint;
\echo
\echo '##' :caller: how many there are in that state
:explain SELECT count(*) AS total FROM inventory.vms v WHERE :visible AND (v.state = 'error'::text);
\echo
\echo '##' :caller: one VM
:explain SELECT :columns FROM inventory.vms v WHERE v.id = :'vm' AND :visible;
