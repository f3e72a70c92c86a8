CREATE SCHEMA members;
GRANT USAGE ON SCHEMA members TO premia_app, premia_load;

CREATE TABLE members.program (
  tenant_id bigint NOT NULL,
  program_id bigint GENERATED ALWAYS AS IDENTITY,
  key text NOT NULL,
  zone text NOT NULL,
  currency text NOT NULL,
  currency_scale smallint NOT NULL,
  -- the whole program as code, as last applied: names, legal form, settings, sources; mechanics have tables of their own
  settings jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, program_id),
  UNIQUE (tenant_id, key)
);
SELECT platform.guard('members.program', 'INSERT, UPDATE');

CREATE TABLE members.company (
  tenant_id bigint NOT NULL,
  company_id bigint GENERATED ALWAYS AS IDENTITY,
  code text NOT NULL,
  name text NOT NULL,
  vat text,
  type text,
  parent_id bigint,
  PRIMARY KEY (tenant_id, company_id),
  UNIQUE (tenant_id, code)
);
SELECT platform.guard('members.company', 'INSERT, UPDATE');

CREATE TABLE members.member (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  member_id bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL CHECK (kind IN ('person', 'company')),
  code text NOT NULL,
  company_id bigint,
  enrolled_on date NOT NULL,
  -- facts earn on these days only; outside them they are recorded, serve as baseline and are explained
  counts_from date NOT NULL,
  counts_until date NOT NULL DEFAULT 'infinity',
  merged_into bigint,
  recorded_seq bigint NOT NULL DEFAULT nextval('platform.recorded_seq'),
  PRIMARY KEY (tenant_id, program_id, member_id),
  UNIQUE (tenant_id, program_id, code)
);
SELECT platform.guard('members.member', 'INSERT, UPDATE');

-- Personal data live apart from everything the ledger keeps, so that erasure leaves the books valid.
CREATE TABLE members.person (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  member_id bigint NOT NULL,
  name text NOT NULL,
  email text,
  PRIMARY KEY (tenant_id, program_id, member_id)
);
SELECT platform.guard('members.person', 'INSERT, UPDATE, DELETE');

-- What must be unique has a table of its own: 'code:17850', 'nip:5260001246', 'email:…' → member.
CREATE TABLE members.member_key (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  reference text NOT NULL,
  member_id bigint NOT NULL,
  PRIMARY KEY (tenant_id, program_id, reference)
);
SELECT platform.guard('members.member_key', 'INSERT, DELETE');

CREATE TABLE members.member_state (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  member_id bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('invited', 'active', 'suspended', 'left')),
  valid_from date NOT NULL,
  reason text,
  recorded_seq bigint NOT NULL DEFAULT nextval('platform.recorded_seq'),
  PRIMARY KEY (tenant_id, program_id, member_id, recorded_seq)
);
SELECT platform.guard('members.member_state', 'INSERT');

-- Dated attributes of a member: type of company, region, size band … as rules read them.
CREATE TABLE members.profile (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  member_id bigint NOT NULL,
  valid_from date NOT NULL,
  valid_to date NOT NULL DEFAULT 'infinity',
  company_type text,
  attributes jsonb NOT NULL DEFAULT '{}',
  recorded_seq bigint NOT NULL DEFAULT nextval('platform.recorded_seq'),
  PRIMARY KEY (tenant_id, program_id, member_id, valid_from, recorded_seq)
);
SELECT platform.guard('members.profile', 'INSERT, UPDATE (valid_to)');

CREATE TABLE members.assignment (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  member_id bigint NOT NULL,
  company text,
  role text NOT NULL DEFAULT 'rep',
  territory text,
  team text,
  valid_from date NOT NULL,
  valid_to date NOT NULL DEFAULT 'infinity',
  recorded_seq bigint NOT NULL DEFAULT nextval('platform.recorded_seq'),
  PRIMARY KEY (tenant_id, program_id, member_id, valid_from, recorded_seq)
);
SELECT platform.guard('members.assignment', 'INSERT, UPDATE (valid_to)');

CREATE TABLE members.segment (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  segment_id bigint GENERATED ALWAYS AS IDENTITY,
  key text NOT NULL,
  rule jsonb NOT NULL,
  PRIMARY KEY (tenant_id, program_id, segment_id),
  UNIQUE (tenant_id, program_id, key)
);
SELECT platform.guard('members.segment', 'INSERT, UPDATE');

-- Membership of segments is a recorded decision: computing a segment again never rewrites its past.
CREATE TABLE members.segment_member (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  segment_id bigint NOT NULL,
  member_id bigint NOT NULL,
  valid_from date NOT NULL,
  valid_to date NOT NULL DEFAULT 'infinity',
  recorded_seq bigint NOT NULL DEFAULT nextval('platform.recorded_seq'),
  PRIMARY KEY (tenant_id, program_id, segment_id, member_id, valid_from)
);
SELECT platform.guard('members.segment_member', 'INSERT, UPDATE (valid_to)');
