-- Seals rest on the numbers of transactions, which belong to a database cluster. A database restored into another cluster goes on above the numbers it brought
-- along: `premia restore` sets premia.xid_shift for it (docs/decisions/0012-seals.md).
CREATE FUNCTION platform.xid_shift() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT COALESCE(NULLIF(current_setting('premia.xid_shift', true), ''), '0')::bigint $$;
CREATE OR REPLACE FUNCTION platform.xid() RETURNS bigint LANGUAGE sql STABLE PARALLEL RESTRICTED AS $$ SELECT pg_current_xact_id()::text::bigint + platform.xid_shift() $$;
-- Below it every transaction has ended.
CREATE FUNCTION platform.oldest_xid() RETURNS bigint LANGUAGE sql STABLE PARALLEL RESTRICTED AS $$ SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint + platform.xid_shift() $$;
