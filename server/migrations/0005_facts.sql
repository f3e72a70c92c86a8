CREATE SCHEMA facts;
GRANT USAGE ON SCHEMA facts TO premia_app, premia_load;

CREATE TABLE facts.source (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  source_id bigint GENERATED ALWAYS AS IDENTITY,
  key text NOT NULL,
  settings jsonb NOT NULL,
  PRIMARY KEY (tenant_id, program_id, source_id),
  UNIQUE (tenant_id, program_id, key)
);
SELECT platform.guard('facts.source', 'INSERT, UPDATE');

CREATE TABLE facts.product (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  product_id bigint GENERATED ALWAYS AS IDENTITY,
  sku text NOT NULL,
  name text,
  gtin text,
  known boolean NOT NULL,
  PRIMARY KEY (tenant_id, program_id, product_id),
  UNIQUE (tenant_id, program_id, sku)
);
SELECT platform.guard('facts.product', 'INSERT, UPDATE');

CREATE TABLE facts.product_class (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  product_id bigint NOT NULL,
  valid_from date NOT NULL DEFAULT '-infinity',
  valid_to date NOT NULL DEFAULT 'infinity',
  category text,
  brand text,
  groups text[] NOT NULL DEFAULT '{}',
  recorded_seq bigint NOT NULL DEFAULT nextval('platform.recorded_seq'),
  PRIMARY KEY (tenant_id, program_id, product_id, valid_from, recorded_seq)
);
SELECT platform.guard('facts.product_class', 'INSERT, UPDATE (valid_to)');

CREATE TABLE facts.product_alias (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  source_id bigint NOT NULL,
  code text NOT NULL,
  product_id bigint NOT NULL,
  PRIMARY KEY (tenant_id, program_id, source_id, code)
);
SELECT platform.guard('facts.product_alias', 'INSERT, UPDATE');

CREATE SEQUENCE facts.document_seq CACHE 64;
CREATE SEQUENCE facts.line_seq CACHE 256;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA facts TO premia_app, premia_load;

CREATE TABLE facts.document (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  document_id bigint NOT NULL DEFAULT nextval('facts.document_seq'),
  source_id bigint NOT NULL,
  number text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('sale', 'return', 'correction')),
  occurred_on date NOT NULL,
  currency text NOT NULL,
  base_number text,
  recorded_seq bigint NOT NULL,
  PRIMARY KEY (tenant_id, program_id, document_id),
  UNIQUE (tenant_id, program_id, source_id, number)
);
SELECT platform.guard('facts.document', 'INSERT');
CREATE INDEX document_by_base ON facts.document (tenant_id, program_id, source_id, base_number) WHERE base_number IS NOT NULL;

-- A line of a document as its source sent it: stored once, knowing no member. Its key is its number, or its content and
-- occurrence where the source has no line numbers; its hash alone decides whether it is new, recorded already or in conflict.
CREATE TABLE facts.line (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  document_id bigint NOT NULL,
  line_key text NOT NULL,
  line_id bigint NOT NULL DEFAULT nextval('facts.line_seq'),
  content_hash text NOT NULL,
  occurred_at timestamptz,
  hour smallint,
  product_id bigint,
  quantity_milli bigint NOT NULL,
  net_minor bigint NOT NULL,
  gross_minor bigint,
  original jsonb,
  buyer text,
  seller text,
  rep text,
  shares jsonb,
  channel text,
  attributes jsonb,
  base_line_key text,
  recorded_seq bigint NOT NULL,
  PRIMARY KEY (tenant_id, program_id, document_id, line_key)
);
SELECT platform.guard('facts.line', 'INSERT');

-- A correction whose base is not here yet: recorded, moving nothing, until its base arrives or a person gives up the wait.
CREATE TABLE facts.waiting (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  source_id bigint NOT NULL,
  base_number text NOT NULL,
  document_id bigint NOT NULL,
  PRIMARY KEY (tenant_id, program_id, source_id, base_number, document_id)
);
SELECT platform.guard('facts.waiting', 'INSERT, DELETE');

CREATE TABLE facts.fact (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  member_id bigint NOT NULL,
  line_id bigint NOT NULL,
  role text NOT NULL,
  crediting int NOT NULL,
  sign smallint NOT NULL,
  kind text NOT NULL,
  earned_on date NOT NULL,
  occurred_on date NOT NULL,
  document_id bigint NOT NULL,
  -- the sale that a correction corrects; the fact's own document and line when it corrects nothing
  base_on date NOT NULL,
  base_document_id bigint NOT NULL,
  base_line_id bigint NOT NULL,
  hour smallint,
  product_id bigint,
  partner text,
  channel text,
  attributes jsonb,
  quantity_milli bigint NOT NULL,
  net_minor bigint NOT NULL,
  gross_minor bigint NOT NULL,
  recorded_seq bigint NOT NULL,
  PRIMARY KEY (tenant_id, program_id, member_id, line_id, role, crediting, sign)
);
SELECT platform.guard('facts.fact', 'INSERT');
CREATE INDEX fact_by_day ON facts.fact (tenant_id, program_id, member_id, earned_on);
CREATE INDEX fact_by_base ON facts.fact (tenant_id, program_id, base_document_id);

-- Who a document is credited to in a role, decided later by people: what was credited before is taken back by minus facts, and
-- corrections that come afterwards follow the decision. The latest recorded holds.
CREATE TABLE facts.recredit (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  document_id bigint NOT NULL,
  role text NOT NULL,
  member_id bigint NOT NULL,
  recorded_seq bigint NOT NULL,
  PRIMARY KEY (tenant_id, program_id, document_id, role, recorded_seq)
);
SELECT platform.guard('facts.recredit', 'INSERT');

CREATE TABLE facts.activity (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  source_id bigint NOT NULL,
  reference text NOT NULL,
  line_id bigint NOT NULL DEFAULT nextval('facts.line_seq'),
  member_id bigint NOT NULL,
  kind text NOT NULL,
  occurred_on date NOT NULL,
  content_hash text NOT NULL,
  recorded_seq bigint NOT NULL,
  PRIMARY KEY (tenant_id, program_id, source_id, reference)
);
SELECT platform.guard('facts.activity', 'INSERT');

CREATE TABLE facts.rate (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  currency text NOT NULL,
  day date NOT NULL,
  rate_n bigint NOT NULL CHECK (rate_n > 0),
  rate_d bigint NOT NULL CHECK (rate_d > 0),
  origin text NOT NULL,
  recorded_seq bigint NOT NULL DEFAULT nextval('platform.recorded_seq'),
  PRIMARY KEY (tenant_id, program_id, currency, day)
);
SELECT platform.guard('facts.rate', 'INSERT');

CREATE TABLE facts.import (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  import_id bigint GENERATED ALWAYS AS IDENTITY,
  source_id bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('staging', 'staged', 'approved', 'recorded', 'rejected', 'failed')),
  parts jsonb NOT NULL,
  staged_by text NOT NULL,
  approved_by text,
  failure jsonb,
  counts jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, program_id, import_id)
);
SELECT platform.guard('facts.import', 'INSERT, UPDATE');

-- The import's rows on their way in. COPY goes only here: PostgreSQL refuses it under row-level security, so this table has
-- none, belongs to premia_load, and is on the allow-list of the security test. The application sees it through a view that
-- shows one tenant.
CREATE SCHEMA staging AUTHORIZATION premia_load;
GRANT USAGE ON SCHEMA staging TO premia_app;
CREATE TABLE staging.staged_row (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  import_id bigint NOT NULL,
  part int NOT NULL,
  row_no bigint NOT NULL,
  raw text NOT NULL,
  problem jsonb,
  number text, kind text, occurred_on date, occurred_at timestamptz, hour smallint, base_number text, base_line_key text,
  line_no text, content_hash text, product_code text, product_name text, quantity_milli bigint, net_minor bigint, gross_minor bigint,
  currency text, original jsonb, buyer text, seller text, rep text, shares jsonb, channel text, attributes jsonb,
  line_key text,
  chunk int,
  outcome text,
  PRIMARY KEY (tenant_id, import_id, part, row_no)
);
CREATE INDEX staged_by_chunk ON staging.staged_row (tenant_id, import_id, chunk);
ALTER TABLE staging.staged_row OWNER TO premia_load;
CREATE VIEW staging.staged WITH (security_barrier) AS
  SELECT * FROM staging.staged_row WHERE tenant_id = (SELECT platform.tenant()) WITH CASCADED CHECK OPTION;
ALTER VIEW staging.staged OWNER TO premia_load;
GRANT SELECT, UPDATE ON staging.staged TO premia_app;
GRANT EXECUTE ON FUNCTION platform.tenant() TO premia_load;
