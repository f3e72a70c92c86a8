-- Tamper evidence. Every sealed row knows its transaction; a batch of transactions that have all ended is hashed, off the hot path, into a
-- chain. `leaves` keeps four bytes of every row's hash, in order, so that a batch that does not match names the row.

-- The number of this transaction, 64 bits, never used twice. bigint, since BRIN has no operators for xid8.
CREATE FUNCTION platform.xid() RETURNS bigint LANGUAGE sql STABLE PARALLEL RESTRICTED AS $$ SELECT pg_current_xact_id()::text::bigint $$;

ALTER TABLE ledger.transfer ADD COLUMN xid bigint NOT NULL DEFAULT platform.xid();
ALTER TABLE facts.document ADD COLUMN xid bigint NOT NULL DEFAULT platform.xid();
ALTER TABLE facts.line ADD COLUMN xid bigint NOT NULL DEFAULT platform.xid();
ALTER TABLE facts.fact ADD COLUMN xid bigint NOT NULL DEFAULT platform.xid();
ALTER TABLE facts.activity ADD COLUMN xid bigint NOT NULL DEFAULT platform.xid();
ALTER TABLE entitlements.allocation ADD COLUMN xid bigint NOT NULL DEFAULT platform.xid();
ALTER TABLE identity.audit ADD COLUMN xid bigint NOT NULL DEFAULT platform.xid();

-- Rows lie in the order of their transactions: a few bytes per 128 pages find a batch.
CREATE INDEX transfer_by_xid ON ledger.transfer USING brin (xid) WITH (autosummarize = on);
CREATE INDEX document_by_xid ON facts.document USING brin (xid) WITH (autosummarize = on);
CREATE INDEX line_by_xid ON facts.line USING brin (xid) WITH (autosummarize = on);
CREATE INDEX fact_by_xid ON facts.fact USING brin (xid) WITH (autosummarize = on);

CREATE TABLE ledger.seal (
  tenant_id bigint NOT NULL,
  seal_no bigint NOT NULL,
  -- transactions in [from_xid, to_xid): all of them had ended
  from_xid bigint NOT NULL,
  to_xid bigint NOT NULL,
  rows jsonb NOT NULL,
  batch bytea NOT NULL,
  head bytea NOT NULL,
  sealed_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, seal_no)
);
SELECT platform.guard('ledger.seal', 'INSERT');

CREATE TABLE ledger.seal_part (
  tenant_id bigint NOT NULL,
  seal_no bigint NOT NULL,
  part text NOT NULL,
  rows bigint NOT NULL,
  hash bytea NOT NULL,
  leaves bytea NOT NULL,
  PRIMARY KEY (tenant_id, seal_no, part)
);
SELECT platform.guard('ledger.seal_part', 'INSERT');
