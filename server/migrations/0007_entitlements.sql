CREATE SCHEMA entitlements;
GRANT USAGE ON SCHEMA entitlements TO premia_app, premia_load;

-- What one mechanic owes one member for one window (subject: the document or line where that is the window, else 0), with the
-- evidence: what was measured, against what, by which version, which gate or limit decided.
CREATE TABLE entitlements.entitlement (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  member_id bigint NOT NULL,
  mechanic_id bigint NOT NULL,
  window_start date NOT NULL,
  subject_id bigint NOT NULL,
  window_end date NOT NULL,
  version_id bigint NOT NULL,
  facts bigint NOT NULL,
  measured_n numeric NOT NULL,
  measured_d numeric NOT NULL,
  base_n numeric,
  base_d numeric,
  why text,
  uncapped bigint NOT NULL,
  amount bigint NOT NULL,
  unit_id bigint NOT NULL,
  gate text NOT NULL,
  available_on date NOT NULL,
  expires_on date NOT NULL,
  settled_seq bigint NOT NULL,
  PRIMARY KEY (tenant_id, program_id, member_id, mechanic_id, window_start, subject_id)
);
SELECT platform.guard('entitlements.entitlement', 'INSERT, UPDATE, DELETE');

-- A member's part of a pooled window (team, company, rank): the second grain is computed over these.
CREATE TABLE entitlements.partial (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  member_id bigint NOT NULL,
  mechanic_id bigint NOT NULL,
  window_start date NOT NULL,
  pool text NOT NULL,
  version_id bigint NOT NULL,
  window_end date NOT NULL,
  facts bigint NOT NULL,
  measured_n numeric NOT NULL,
  measured_d numeric NOT NULL,
  base_n numeric,
  base_d numeric,
  passed boolean NOT NULL,
  PRIMARY KEY (tenant_id, program_id, member_id, mechanic_id, window_start, pool)
);
SELECT platform.guard('entitlements.partial', 'INSERT, UPDATE, DELETE');
CREATE INDEX partial_by_window ON entitlements.partial (tenant_id, program_id, mechanic_id, window_start);

-- Pooled windows that something moved: a job settles each under its own lock; verify settles them first.
CREATE TABLE entitlements.stale_window (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  mechanic_id bigint NOT NULL,
  window_start date NOT NULL,
  PRIMARY KEY (tenant_id, program_id, mechanic_id, window_start)
);
SELECT platform.guard('entitlements.stale_window', 'INSERT, DELETE');

-- Who took how much of a budget, in recorded order. The sum of a budget's rows never passes its size.
CREATE TABLE entitlements.allocation (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  allocation_id bigint GENERATED ALWAYS AS IDENTITY,
  budget text NOT NULL,
  member_id bigint NOT NULL,
  mechanic_id bigint NOT NULL,
  window_start date NOT NULL,
  subject_id bigint NOT NULL,
  delta bigint NOT NULL,
  recorded_seq bigint NOT NULL,
  PRIMARY KEY (tenant_id, program_id, allocation_id)
);
SELECT platform.guard('entitlements.allocation', 'INSERT');
CREATE INDEX allocation_by_budget ON entitlements.allocation (tenant_id, program_id, budget);

CREATE TABLE entitlements.tier_interval (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  member_id bigint NOT NULL,
  tier_set_id bigint NOT NULL,
  valid_from date NOT NULL,
  valid_to date NOT NULL,
  tier text NOT NULL,
  rank int NOT NULL,
  PRIMARY KEY (tenant_id, program_id, member_id, tier_set_id, valid_from)
);
SELECT platform.guard('entitlements.tier_interval', 'INSERT, DELETE');

CREATE TABLE entitlements.close (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  close_id bigint GENERATED ALWAYS AS IDENTITY,
  starts_on date NOT NULL,
  ends_on date NOT NULL,
  state text NOT NULL CHECK (state IN ('closing', 'closed')),
  watermark bigint NOT NULL,
  snapshot jsonb,
  closed_by text NOT NULL,
  closed_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, program_id, close_id),
  UNIQUE (tenant_id, program_id, starts_on, ends_on)
);
SELECT platform.guard('entitlements.close', 'INSERT, UPDATE (state, snapshot)');

CREATE TABLE entitlements.recalculation (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  recalculation_id bigint GENERATED ALWAYS AS IDENTITY,
  change jsonb NOT NULL,
  state text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'applied', 'rejected')),
  preview jsonb NOT NULL,
  reason text NOT NULL,
  proposed_by text NOT NULL,
  decided_by text,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, program_id, recalculation_id)
);
SELECT platform.guard('entitlements.recalculation', 'INSERT, UPDATE (state, decided_by)');

-- Figures for the planner, as tables grow in a long import; only their owner may make them before PostgreSQL 17.
CREATE FUNCTION platform.refresh_statistics() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  ANALYZE facts.fact;
  ANALYZE facts.document;
  ANALYZE facts.line;
  ANALYZE members.member;
  ANALYZE members.member_key;
  ANALYZE ledger.lot;
  ANALYZE ledger.wallet;
  ANALYZE entitlements.entitlement;
END $$;
REVOKE ALL ON FUNCTION platform.refresh_statistics() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION platform.refresh_statistics() TO premia_app;
