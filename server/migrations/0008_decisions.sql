-- What people decide about facts and members: states, merges, conflicts, waits given up, approvals of what came late.

-- Days inside the membership that do not count: suspended, or away between leaving and coming back.
ALTER TABLE members.member ADD COLUMN gaps datemultirange NOT NULL DEFAULT '{}';
-- Few have any; a plain flag spares every fact of all others the look into the ranges (verify of the demo: 11 s without it).
ALTER TABLE members.member ADD COLUMN has_gaps boolean NOT NULL GENERATED ALWAYS AS (NOT isempty(gaps)) STORED;

-- Names of companies are unique apart from them: 'code:…', 'vat:PL…', 'ext:erp:…'.
CREATE TABLE members.company_key (
  tenant_id bigint NOT NULL,
  reference text NOT NULL,
  company_id bigint NOT NULL,
  PRIMARY KEY (tenant_id, reference)
);
SELECT platform.guard('members.company_key', 'INSERT, DELETE');

-- A document that came again changed, as it came: a person keeps what is recorded or accepts the new as a correction of it.
CREATE TABLE facts.conflict (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  conflict_id bigint GENERATED ALWAYS AS IDENTITY,
  source_id bigint NOT NULL,
  number text NOT NULL,
  digest text NOT NULL,
  sent jsonb NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'kept', 'accepted')),
  reason text,
  decided_by text,
  recorded_seq bigint NOT NULL,
  PRIMARY KEY (tenant_id, program_id, conflict_id),
  UNIQUE (tenant_id, program_id, source_id, number, digest)
);
SELECT platform.guard('facts.conflict', 'INSERT, UPDATE (state, reason, decided_by)');

-- Corrections whose wait for a base a person gave up: they count as free-standing, on their own date.
CREATE TABLE facts.wait_given_up (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  document_id bigint NOT NULL,
  reason text NOT NULL,
  decided_by text NOT NULL,
  recorded_seq bigint NOT NULL,
  PRIMARY KEY (tenant_id, program_id, document_id)
);
SELECT platform.guard('facts.wait_given_up', 'INSERT');

-- Which product an unknown code turned out to be. Read when lines are credited; what was credited before moves by minus and plus facts.
ALTER TABLE facts.product ADD COLUMN same_as bigint;

-- How each file of an import is read, so that a row set aside can be mended and read again.
ALTER TABLE facts.import ADD COLUMN reading jsonb NOT NULL DEFAULT '[]';

-- Files of one import on their way in, part by part.
CREATE TABLE facts.upload (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  upload_id uuid NOT NULL,
  source_id bigint NOT NULL,
  parts jsonb NOT NULL DEFAULT '[]',
  import_id bigint,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, program_id, upload_id)
);
SELECT platform.guard('facts.upload', 'INSERT, UPDATE (parts, import_id)');

-- Units that expire after inactivity, and the last day on which their holder did something.
ALTER TABLE ledger.unit ADD COLUMN idle_months int NOT NULL DEFAULT 0 CHECK (idle_months >= 0);
ALTER TABLE ledger.wallet ADD COLUMN active_on date NOT NULL DEFAULT '-infinity';

-- The last day of a lot: its own date, or so many months after its holder was last active.
CREATE FUNCTION ledger.last_day(expires_on date, idle_months int, active_on date) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN idle_months = 0 OR active_on = '-infinity' THEN expires_on ELSE LEAST(expires_on, (active_on + make_interval(months => idle_months))::date) END
$$;
GRANT EXECUTE ON FUNCTION ledger.last_day(date, int, date) TO premia_app;

ALTER TABLE ledger.adjustment ADD COLUMN kind text NOT NULL DEFAULT 'adjustment' CHECK (kind IN ('adjustment', 'write_off'));
ALTER TABLE ledger.hold DROP CONSTRAINT hold_state_check;
ALTER TABLE ledger.hold ADD CONSTRAINT hold_state_check CHECK (state IN ('held', 'captured', 'released', 'refunded', 'moved'));

-- A period is announced as closing before it is closed, when its watermark is set.
GRANT UPDATE (watermark, closed_by, closed_at) ON entitlements.close TO premia_app;

-- A job that belongs to this transaction: it runs if this commits. The same key again replaces what has not begun.
CREATE FUNCTION platform.add_job(task text, payload json, job_key text, after_seconds int) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  PERFORM graphile_worker.add_job(task, payload, job_key := add_job.job_key, job_key_mode := 'replace', run_at := now() + make_interval(secs => after_seconds));
END $$;
REVOKE ALL ON FUNCTION platform.add_job(text, json, text, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION platform.add_job(text, json, text, int) TO premia_app;

-- Jobs go through all tenants, one after another.
CREATE FUNCTION identity.list_tenants() RETURNS SETOF bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$ SELECT tenant_id FROM identity.tenant ORDER BY tenant_id $$;
REVOKE ALL ON FUNCTION identity.list_tenants() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity.list_tenants() TO premia_app;

CREATE POLICY owner_sees_all ON platform.idempotency TO premia_owner USING (true) WITH CHECK (true);
CREATE POLICY owner_sees_all ON platform.outbox TO premia_owner USING (true) WITH CHECK (true);
-- Answers kept long enough, and events that were delivered. Natural keys and permanent references know for ever.
CREATE FUNCTION platform.purge(before timestamptz) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE gone bigint; more bigint;
BEGIN
  DELETE FROM platform.idempotency WHERE created_at < before;
  GET DIAGNOSTICS gone = ROW_COUNT;
  DELETE FROM platform.outbox WHERE sent_at < before;
  GET DIAGNOSTICS more = ROW_COUNT;
  RETURN gone + more;
END $$;
REVOKE ALL ON FUNCTION platform.purge(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION platform.purge(timestamptz) TO premia_app;
CREATE INDEX outbox_unsent ON platform.outbox (tenant_id, event_id) WHERE sent_at IS NULL;

-- Uncached, so that a member's transfers, which are written under that member's lock, are numbered in the order in which they happened.
ALTER SEQUENCE ledger.transfer_seq CACHE 1;

-- Figures are made anew only where a table has grown by a fifth since they were: on a large program a small import need not wait for them.
CREATE OR REPLACE FUNCTION platform.refresh_statistics() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE grown regclass;
BEGIN
  FOR grown IN SELECT s.relid FROM pg_stat_user_tables AS s WHERE s.schemaname || '.' || s.relname IN ('facts.fact', 'facts.document', 'facts.line', 'members.member', 'members.member_key', 'ledger.lot', 'ledger.wallet', 'entitlements.entitlement')
    AND (COALESCE(s.last_analyze, s.last_autoanalyze) IS NULL OR s.n_mod_since_analyze > 1000 + s.n_live_tup / 5) ORDER BY s.relid
  LOOP
    EXECUTE format('ANALYZE %s', grown);
  END LOOP;
END $$;
