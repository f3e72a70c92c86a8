-- What units turn into: a catalogue, orders that hold units, codes, cards, accounts, batches of payouts, and the tax on them.

CREATE SCHEMA rewards;
GRANT USAGE ON SCHEMA rewards TO premia_app;

-- `price` units buy `worth_minor` of the program's currency: one piece, or – where the member chooses the amount – in that proportion.
CREATE TABLE rewards.reward (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  reward_id bigint GENERATED ALWAYS AS IDENTITY,
  key text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('goods', 'voucher', 'prepaid', 'transfer', 'code', 'event', 'training', 'support', 'charity')),
  state text NOT NULL CHECK (state IN ('draft', 'active', 'archived')),
  names jsonb NOT NULL,
  descriptions jsonb NOT NULL,
  category text NOT NULL,
  picture text,
  unit_id bigint NOT NULL,
  price bigint NOT NULL CHECK (price > 0),
  worth_minor bigint NOT NULL CHECK (worth_minor >= 0),
  co_pay_minor bigint NOT NULL DEFAULT 0 CHECK (co_pay_minor >= 0),
  least_minor bigint,
  most_minor bigint,
  -- NULL: as many as are asked for; where codes are given out, the codes are the stock
  stock bigint CHECK (stock >= 0),
  limit_count int,
  limit_window text CHECK (limit_window IN ('day', 'week', 'month', 'quarter', 'year', 'program')),
  valid_from date NOT NULL DEFAULT '-infinity',
  valid_to date NOT NULL DEFAULT 'infinity',
  audience jsonb NOT NULL,
  approval text NOT NULL CHECK (approval IN ('policy', 'always')),
  provider text CHECK (provider IN ('simulated')),
  cost_minor bigint NOT NULL DEFAULT 0 CHECK (cost_minor >= 0),
  vat_rate text NOT NULL DEFAULT '23%',
  vat_kind text NOT NULL DEFAULT 'none' CHECK (vat_kind IN ('none', 'spv', 'mpv')),
  vat_deducted boolean NOT NULL DEFAULT false,
  low_value_register boolean NOT NULL DEFAULT false,
  supplier text NOT NULL DEFAULT '',
  -- codes that end sooner than so many days are not given out, and fewer than so many left are worth a word
  least_days int NOT NULL DEFAULT 30,
  low_stock int NOT NULL DEFAULT 0,
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, program_id, reward_id),
  UNIQUE (tenant_id, program_id, key)
);
SELECT platform.guard('rewards.reward', 'INSERT, UPDATE');

-- How a program pays out: payer, bank profile, approval policy, fees, what of the units is expected to be redeemed.
CREATE TABLE rewards.settings (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  body jsonb NOT NULL,
  PRIMARY KEY (tenant_id, program_id)
);
SELECT platform.guard('rewards.settings', 'INSERT, UPDATE');

CREATE TABLE rewards.wish (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  member_id bigint NOT NULL,
  reward_id bigint NOT NULL,
  PRIMARY KEY (tenant_id, program_id, member_id, reward_id)
);
SELECT platform.guard('rewards.wish', 'INSERT, DELETE');

-- An order's reference makes it one: sent again, it is the same order. Where goods go is sealed.
CREATE TABLE rewards.reward_order (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  order_id bigint GENERATED ALWAYS AS IDENTITY,
  member_id bigint NOT NULL,
  reference text NOT NULL,
  placed_by text NOT NULL,
  placed_at timestamptz NOT NULL,
  placed_on date NOT NULL,
  address bytea,
  PRIMARY KEY (tenant_id, program_id, order_id),
  UNIQUE (tenant_id, program_id, member_id, reference)
);
SELECT platform.guard('rewards.reward_order', 'INSERT, UPDATE (address)');

-- One piece of an order: one hold, one state, one payout. Its hold is found by its reference, `item:<id>`, whoever holds it after a merge.
CREATE TABLE rewards.item (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  item_id bigint GENERATED ALWAYS AS IDENTITY,
  order_id bigint NOT NULL,
  member_id bigint NOT NULL,
  reward_id bigint NOT NULL,
  kind text NOT NULL,
  state text NOT NULL CHECK (state IN ('requested', 'awaiting_payment', 'approved', 'batched', 'exported', 'sent', 'issued', 'shipped', 'delivered', 'rejected', 'cancelled', 'failed', 'returned')),
  unit_id bigint NOT NULL,
  units bigint NOT NULL CHECK (units > 0),
  worth_minor bigint NOT NULL,
  co_pay_minor bigint NOT NULL,
  cost_minor bigint NOT NULL,
  reason text,
  approved_by text,
  -- which account the approver saw: another one sends the item back
  account_mark bytea,
  carrier text,
  tracking text,
  provider_ref text,
  -- when it was last taken to the provider: nobody else takes it up before that is long ago
  asked_at timestamptz,
  placed_on date NOT NULL,
  given_on date,
  PRIMARY KEY (tenant_id, program_id, item_id)
);
SELECT platform.guard('rewards.item', 'INSERT, UPDATE');
CREATE INDEX item_of_member ON rewards.item (tenant_id, program_id, member_id, item_id);
CREATE INDEX item_open ON rewards.item (tenant_id, program_id, state, item_id) WHERE state IN ('requested', 'awaiting_payment', 'approved', 'batched', 'exported', 'sent', 'shipped');

CREATE TABLE rewards.step (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  step_id bigint GENERATED ALWAYS AS IDENTITY,
  item_id bigint NOT NULL,
  state text NOT NULL,
  at timestamptz NOT NULL,
  by text NOT NULL,
  reason text,
  PRIMARY KEY (tenant_id, program_id, step_id)
);
SELECT platform.guard('rewards.step', 'INSERT');
CREATE INDEX step_of_item ON rewards.step (tenant_id, program_id, item_id);

-- Codes as they were bought: sealed, each once in its pool by its mark.
CREATE TABLE rewards.voucher (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  voucher_id bigint GENERATED ALWAYS AS IDENTITY,
  reward_id bigint NOT NULL,
  code bytea NOT NULL,
  code_mark bytea NOT NULL,
  lot text NOT NULL,
  valid_to date NOT NULL,
  state text NOT NULL DEFAULT 'available' CHECK (state IN ('available', 'reserved', 'issued', 'void')),
  item_id bigint,
  revealed_at timestamptz,
  PRIMARY KEY (tenant_id, program_id, voucher_id),
  UNIQUE (tenant_id, program_id, reward_id, code_mark)
);
SELECT platform.guard('rewards.voucher', 'INSERT, UPDATE (state, item_id, revealed_at)');
CREATE INDEX voucher_free ON rewards.voucher (tenant_id, program_id, reward_id, valid_to, voucher_id) WHERE state = 'available';
CREATE UNIQUE INDEX voucher_of_item ON rewards.voucher (tenant_id, program_id, item_id) WHERE item_id IS NOT NULL AND state IN ('reserved', 'issued');

-- A card is known by the number its provider gives it, never by the number printed on it.
CREATE TABLE rewards.card (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  card_id bigint GENERATED ALWAYS AS IDENTITY,
  member_id bigint NOT NULL,
  proxy bytea NOT NULL,
  proxy_mark bytea NOT NULL,
  last4 text NOT NULL,
  state text NOT NULL CHECK (state IN ('issued', 'active', 'blocked', 'closed')),
  issued_on date NOT NULL,
  PRIMARY KEY (tenant_id, program_id, card_id)
);
SELECT platform.guard('rewards.card', 'INSERT, UPDATE (state)');
CREATE UNIQUE INDEX card_once ON rewards.card (tenant_id, program_id, proxy_mark) WHERE state <> 'closed';
CREATE UNIQUE INDEX card_of_member ON rewards.card (tenant_id, program_id, member_id) WHERE state IN ('issued', 'active');

-- Accounts and tax profiles: the last row of a member counts.
CREATE TABLE rewards.account (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  account_id bigint GENERATED ALWAYS AS IDENTITY,
  member_id bigint NOT NULL,
  iban bytea NOT NULL,
  mark bytea NOT NULL,
  last4 text NOT NULL,
  holder bytea NOT NULL,
  saved_on date NOT NULL,
  saved_by text NOT NULL,
  PRIMARY KEY (tenant_id, program_id, account_id)
);
SELECT platform.guard('rewards.account', 'INSERT, DELETE');
CREATE INDEX account_of_member ON rewards.account (tenant_id, program_id, member_id, account_id);

CREATE TABLE rewards.tax_profile (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  profile_id bigint GENERATED ALWAYS AS IDENTITY,
  member_id bigint NOT NULL,
  status text CHECK (status IN ('CONSUMER', 'PARTNER_EMPLOYEE', 'OWN_EMPLOYEE', 'SOLE_TRADER', 'COMPANY')),
  person_mark bytea,
  data bytea,
  saved_at timestamptz NOT NULL,
  saved_by text NOT NULL,
  PRIMARY KEY (tenant_id, program_id, profile_id)
);
SELECT platform.guard('rewards.tax_profile', 'INSERT, DELETE');
CREATE INDEX profile_of_member ON rewards.tax_profile (tenant_id, program_id, member_id, profile_id);

CREATE TABLE rewards.batch (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  batch_id bigint GENERATED ALWAYS AS IDENTITY,
  rail text NOT NULL CHECK (rail IN ('prepaid', 'transfer')),
  format text NOT NULL CHECK (format IN ('topup', 'elixir0', 'pain001')),
  state text NOT NULL CHECK (state IN ('proposed', 'approved', 'exported', 'closed', 'cancelled')),
  execute_on date NOT NULL,
  items int NOT NULL,
  total_minor bigint NOT NULL,
  proposed_by text NOT NULL,
  proposed_at timestamptz NOT NULL,
  approved_by text,
  approved_at timestamptz,
  exported_by text,
  exported_at timestamptz,
  file bytea,
  file_name text,
  sha256 text,
  PRIMARY KEY (tenant_id, program_id, batch_id)
);
SELECT platform.guard('rewards.batch', 'INSERT, UPDATE');

CREATE TABLE rewards.batch_item (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  batch_id bigint NOT NULL,
  item_id bigint NOT NULL,
  line int NOT NULL,
  amount_minor bigint NOT NULL CHECK (amount_minor > 0),
  live boolean NOT NULL DEFAULT true,
  outcome text CHECK (outcome IN ('loaded', 'rejected', 'taken_out')),
  provider_ref text,
  reason text,
  PRIMARY KEY (tenant_id, program_id, batch_id, item_id)
);
SELECT platform.guard('rewards.batch_item', 'INSERT, UPDATE');
CREATE UNIQUE INDEX one_live_batch ON rewards.batch_item (tenant_id, program_id, item_id) WHERE live;

-- The tax table, by version and date. What nobody confirmed is not used.
CREATE TABLE rewards.tax_rule (
  tenant_id bigint NOT NULL,
  rule_id bigint GENERATED ALWAYS AS IDENTITY,
  code text NOT NULL,
  version int NOT NULL,
  body jsonb NOT NULL,
  confirmed_by text,
  confirmed_at timestamptz,
  PRIMARY KEY (tenant_id, rule_id),
  UNIQUE (tenant_id, code, version)
);
SELECT platform.guard('rewards.tax_rule', 'INSERT, UPDATE (confirmed_by, confirmed_at)');

-- The row a payout was taxed by, with what went in and what came out: fixed once, at approval.
CREATE TABLE rewards.item_tax (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  item_id bigint NOT NULL,
  rule_id bigint NOT NULL,
  code text NOT NULL,
  version int NOT NULL,
  digest text NOT NULL,
  inputs jsonb NOT NULL,
  form text NOT NULL,
  bearer text NOT NULL,
  income_minor bigint NOT NULL,
  base_minor bigint NOT NULL,
  tax_minor bigint NOT NULL,
  pay_minor bigint NOT NULL,
  extra_minor bigint NOT NULL,
  fixed_on date NOT NULL,
  PRIMARY KEY (tenant_id, program_id, item_id)
);
SELECT platform.guard('rewards.item_tax', 'INSERT');

-- Income by payer and year, as it was paid; what came back is an entry of its own.
CREATE TABLE rewards.tax_entry (
  tenant_id bigint NOT NULL,
  entry_id bigint GENERATED ALWAYS AS IDENTITY,
  program_id bigint NOT NULL,
  item_id bigint NOT NULL,
  member_id bigint NOT NULL,
  payer text NOT NULL,
  year int NOT NULL,
  form text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('payment', 'correction')),
  income_minor bigint NOT NULL,
  tax_minor bigint NOT NULL,
  booked_on date NOT NULL,
  after_form boolean NOT NULL,
  PRIMARY KEY (tenant_id, entry_id),
  UNIQUE (tenant_id, program_id, item_id, kind)
);
SELECT platform.guard('rewards.tax_entry', 'INSERT');

CREATE TABLE rewards.tax_form (
  tenant_id bigint NOT NULL,
  form_id bigint GENERATED ALWAYS AS IDENTITY,
  payer text NOT NULL,
  year int NOT NULL,
  form text NOT NULL,
  version int NOT NULL,
  made_by text NOT NULL,
  made_at timestamptz NOT NULL,
  people int NOT NULL,
  sha256 text NOT NULL,
  last_entry bigint NOT NULL,
  content bytea NOT NULL,
  PRIMARY KEY (tenant_id, form_id),
  UNIQUE (tenant_id, payer, year, form, version)
);
SELECT platform.guard('rewards.tax_form', 'INSERT');

-- A purse of one program, or of all that name the same sponsor. What is committed and spent is read from the orders.
CREATE TABLE rewards.budget (
  tenant_id bigint NOT NULL,
  budget_id bigint GENERATED ALWAYS AS IDENTITY,
  key text NOT NULL,
  name text NOT NULL,
  program_id bigint,
  policy text NOT NULL CHECK (policy IN ('warn', 'block')),
  warn_percent int NOT NULL CHECK (warn_percent BETWEEN 1 AND 100),
  taken bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, budget_id),
  UNIQUE (tenant_id, key)
);
SELECT platform.guard('rewards.budget', 'INSERT, UPDATE');

CREATE TABLE rewards.deposit (
  tenant_id bigint NOT NULL,
  deposit_id bigint GENERATED ALWAYS AS IDENTITY,
  budget_id bigint NOT NULL,
  amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
  note text NOT NULL,
  booked_on date NOT NULL,
  booked_by text NOT NULL,
  PRIMARY KEY (tenant_id, deposit_id)
);
SELECT platform.guard('rewards.deposit', 'INSERT');

-- Orders look their holds up by reference.
CREATE INDEX hold_by_reference ON ledger.hold (tenant_id, program_id, reference);

-- What of a person is kept with rewards, when they are erased: where money and parcels went goes; codes and wishes go; what the tax
-- office may ask for stays, sealed, where something was paid.
CREATE FUNCTION rewards.erase(of_program bigint, of_member bigint) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE tenant bigint := platform.tenant(); own bigint[];
BEGIN
  IF tenant IS NULL THEN RAISE EXCEPTION 'no tenant'; END IF;
  -- those who were merged into this member are the same person
  own := ARRAY(SELECT member_id FROM members.member WHERE tenant_id = tenant AND program_id = of_program AND (member_id = of_member OR merged_into = of_member));
  DELETE FROM rewards.wish WHERE tenant_id = tenant AND program_id = of_program AND member_id = ANY(own);
  DELETE FROM rewards.account WHERE tenant_id = tenant AND program_id = of_program AND member_id = ANY(own);
  UPDATE rewards.reward_order SET address = NULL WHERE tenant_id = tenant AND program_id = of_program AND member_id = ANY(own);
  UPDATE rewards.card SET proxy = '', proxy_mark = sha256(card_id::text::bytea), last4 = '', state = 'closed' WHERE tenant_id = tenant AND program_id = of_program AND member_id = ANY(own);
  -- reasons are free text, by operators and providers, and may name the person
  UPDATE rewards.step SET reason = '–' WHERE tenant_id = tenant AND program_id = of_program AND reason IS NOT NULL AND item_id IN (SELECT item_id FROM rewards.item WHERE tenant_id = tenant AND program_id = of_program AND member_id = ANY(own));
  UPDATE rewards.batch_item SET reason = '–' WHERE tenant_id = tenant AND program_id = of_program AND reason IS NOT NULL AND item_id IN (SELECT item_id FROM rewards.item WHERE tenant_id = tenant AND program_id = of_program AND member_id = ANY(own));
  UPDATE rewards.item SET tracking = NULL, reason = CASE WHEN reason IS NULL THEN NULL ELSE '–' END WHERE tenant_id = tenant AND program_id = of_program AND member_id = ANY(own);
  DELETE FROM rewards.tax_profile AS p WHERE tenant_id = tenant AND program_id = of_program AND member_id = ANY(own)
    AND NOT EXISTS (SELECT 1 FROM rewards.tax_entry AS e WHERE e.tenant_id = tenant AND e.program_id = of_program AND e.member_id = ANY(own) AND e.form <> 'NONE');
END $$;
REVOKE ALL ON FUNCTION rewards.erase(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewards.erase(bigint, bigint) TO premia_app;

-- A partner company may pay, out of its own wallet, for what its people order: by its manager's rule, the last row of which counts.
CREATE TABLE rewards.company_rule (
  tenant_id bigint NOT NULL,
  program_id bigint NOT NULL,
  rule_id bigint GENERATED ALWAYS AS IDENTITY,
  company text NOT NULL,
  pays boolean NOT NULL,
  -- units of smallest size that one person may have paid in a month, in any one unit; NULL: no limit
  monthly bigint CHECK (monthly > 0),
  categories jsonb,
  saved_by text NOT NULL,
  saved_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, program_id, rule_id)
);
SELECT platform.guard('rewards.company_rule', 'INSERT');
ALTER TABLE rewards.item ADD COLUMN payer_id bigint;

-- One sealed word a tenant: who comes with another data secret finds out at the door, not at the first code that does not open.
CREATE TABLE rewards.vault_word (
  tenant_id bigint NOT NULL PRIMARY KEY,
  sealed bytea NOT NULL
);
SELECT platform.guard('rewards.vault_word', 'INSERT');
