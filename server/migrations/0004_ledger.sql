CREATE SCHEMA ledger;
GRANT USAGE ON SCHEMA ledger TO premia_app, premia_load;

CREATE TABLE ledger.unit (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  unit_id bigint GENERATED ALWAYS AS IDENTITY,
  key text NOT NULL,
  scale smallint NOT NULL CHECK (scale BETWEEN 0 AND 6),
  names jsonb NOT NULL,
  smallest_redemption bigint NOT NULL DEFAULT 0,
  grace_days int NOT NULL DEFAULT 30,
  debt_policy text NOT NULL DEFAULT 'carry' CHECK (debt_policy IN ('carry', 'write_off')),
  PRIMARY KEY (tenant_id, program_id, unit_id),
  UNIQUE (tenant_id, program_id, key)
);
SELECT platform.guard('ledger.unit', 'INSERT, UPDATE');

-- Current sums of a wallet's transfers. Rebuildable; `premia verify` compares. The program's accounts have no such row:
-- they are sums of transfers, so that no posting waits for another.
CREATE TABLE ledger.wallet (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  member_id bigint NOT NULL,
  unit_id bigint NOT NULL,
  balance bigint NOT NULL DEFAULT 0 CHECK (balance >= 0),
  held bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
  debt bigint NOT NULL DEFAULT 0 CHECK (debt >= 0),
  PRIMARY KEY (tenant_id, program_id, member_id, unit_id)
);
SELECT platform.guard('ledger.wallet', 'INSERT, UPDATE');

CREATE SEQUENCE ledger.lot_seq CACHE 256;
CREATE SEQUENCE ledger.transfer_seq CACHE 256;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA ledger TO premia_app, premia_load;

-- expires_on is the last day on which the lot can be spent. 'infinity': never. available_on '-infinity': at once.
CREATE TABLE ledger.lot (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  member_id bigint NOT NULL,
  unit_id bigint NOT NULL,
  lot_id bigint NOT NULL DEFAULT nextval('ledger.lot_seq'),
  gate text NOT NULL DEFAULT '',
  available_on date NOT NULL,
  expires_on date NOT NULL,
  remaining bigint NOT NULL CHECK (remaining >= 0),
  expired bigint NOT NULL DEFAULT 0 CHECK (expired >= 0),
  PRIMARY KEY (tenant_id, program_id, member_id, unit_id, gate, available_on, expires_on),
  UNIQUE (tenant_id, member_id, lot_id)
);
SELECT platform.guard('ledger.lot', 'INSERT, UPDATE');

CREATE TABLE ledger.transfer (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  member_id bigint NOT NULL,
  transfer_id bigint NOT NULL DEFAULT nextval('ledger.transfer_seq'),
  unit_id bigint NOT NULL,
  debit text NOT NULL,
  credit text NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  kind text NOT NULL,
  booked_on date NOT NULL,
  booked_at timestamptz NOT NULL,
  -- what it settles: one entitlement (mechanic, window, subject), or an order, an adjustment, a reversal
  mechanic_id bigint,
  window_start date,
  subject_id bigint,
  reference text,
  reason text,
  reverses bigint,
  pair_id bigint,
  run_seq bigint NOT NULL,
  PRIMARY KEY (tenant_id, program_id, member_id, transfer_id),
  CONSTRAINT allowed_pair CHECK ((debit || '>' || credit) IN ('issued>wallet', 'wallet>issued', 'debt>wallet', 'wallet>debt', 'wallet>held', 'held>wallet', 'held>spent', 'spent>wallet',
    'wallet>expired', 'expired>wallet', 'adjusted>wallet', 'wallet>adjusted', 'adjusted>debt', 'wallet>wallet', 'wallet>clearing', 'clearing>wallet'))
);
SELECT platform.guard('ledger.transfer', 'INSERT');
CREATE INDEX transfer_of_entitlement ON ledger.transfer (tenant_id, program_id, member_id, mechanic_id, window_start, subject_id);

-- A value-moving command leaves its reference for ever: a purged idempotency key cannot pay twice.
CREATE TABLE ledger.reference (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  reference text NOT NULL,
  member_id bigint NOT NULL,
  recorded_seq bigint NOT NULL DEFAULT nextval('platform.recorded_seq'),
  PRIMARY KEY (tenant_id, program_id, reference)
);
SELECT platform.guard('ledger.reference', 'INSERT');

CREATE TABLE ledger.hold (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  member_id bigint NOT NULL,
  hold_id bigint GENERATED ALWAYS AS IDENTITY,
  unit_id bigint NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  state text NOT NULL CHECK (state IN ('held', 'captured', 'released', 'refunded')),
  reference text NOT NULL,
  PRIMARY KEY (tenant_id, program_id, member_id, hold_id)
);
SELECT platform.guard('ledger.hold', 'INSERT, UPDATE (state)');

-- Which lots a hold took from: releases and refunds go back there.
CREATE TABLE ledger.hold_lot (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  member_id bigint NOT NULL,
  hold_id bigint NOT NULL,
  lot_id bigint NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  PRIMARY KEY (tenant_id, program_id, member_id, hold_id, lot_id)
);
SELECT platform.guard('ledger.hold_lot', 'INSERT');

CREATE TABLE ledger.adjustment (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  adjustment_id bigint GENERATED ALWAYS AS IDENTITY,
  member_id bigint NOT NULL,
  unit_id bigint NOT NULL,
  amount bigint NOT NULL CHECK (amount <> 0),
  reason text NOT NULL,
  proposed_by text NOT NULL,
  approved_by text,
  state text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'posted', 'rejected')),
  PRIMARY KEY (tenant_id, program_id, adjustment_id)
);
SELECT platform.guard('ledger.adjustment', 'INSERT, UPDATE (approved_by, state)');
