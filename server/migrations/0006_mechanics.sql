CREATE SCHEMA mechanics;
GRANT USAGE ON SCHEMA mechanics TO premia_app, premia_load;

CREATE TABLE mechanics.mechanic (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  mechanic_id bigint GENERATED ALWAYS AS IDENTITY,
  key text NOT NULL,
  PRIMARY KEY (tenant_id, program_id, mechanic_id),
  UNIQUE (tenant_id, program_id, key)
);
SELECT platform.guard('mechanics.mechanic', 'INSERT');

-- A published version never changes but for the day on which the next one, or its end, takes over.
CREATE TABLE mechanics.mechanic_version (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  version_id bigint GENERATED ALWAYS AS IDENTITY,
  mechanic_id bigint NOT NULL,
  number int NOT NULL,
  definition jsonb NOT NULL,
  starts_on date NOT NULL,
  ends_on date NOT NULL DEFAULT 'infinity',
  -- a version replaced by a recalculation stays on record and counts for nothing
  replaced boolean NOT NULL DEFAULT false,
  published_by text NOT NULL,
  recorded_seq bigint NOT NULL DEFAULT nextval('platform.recorded_seq'),
  PRIMARY KEY (tenant_id, program_id, version_id)
);
SELECT platform.guard('mechanics.mechanic_version', 'INSERT, UPDATE (ends_on, replaced)');

CREATE TABLE mechanics.target (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  target_key text NOT NULL,
  subject text NOT NULL,
  window_start date NOT NULL,
  value bigint NOT NULL,
  reason text,
  recorded_by text NOT NULL,
  current boolean NOT NULL DEFAULT true,
  recorded_seq bigint NOT NULL DEFAULT nextval('platform.recorded_seq'),
  PRIMARY KEY (tenant_id, program_id, target_key, subject, window_start, recorded_seq)
);
SELECT platform.guard('mechanics.target', 'INSERT, UPDATE (current)');
CREATE UNIQUE INDEX target_current ON mechanics.target (tenant_id, program_id, target_key, subject, window_start) WHERE current;

CREATE TABLE mechanics.tier_set (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  tier_set_id bigint GENERATED ALWAYS AS IDENTITY,
  key text NOT NULL,
  definition jsonb NOT NULL,
  PRIMARY KEY (tenant_id, program_id, tier_set_id),
  UNIQUE (tenant_id, program_id, key)
);
SELECT platform.guard('mechanics.tier_set', 'INSERT, UPDATE (definition)');

CREATE TABLE mechanics.period (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  calendar text NOT NULL,
  name text NOT NULL,
  starts_on date NOT NULL,
  ends_on date NOT NULL,
  PRIMARY KEY (tenant_id, program_id, calendar, starts_on)
);
SELECT platform.guard('mechanics.period', 'INSERT');
