-- The ground every module stands on: who may see what, exact sums, the calendar, the outbox.

CREATE SCHEMA platform;
GRANT USAGE ON SCHEMA platform TO premia_app, premia_load;

-- The tenant of this unit of work. Unset: no tenant, so no rows.
CREATE FUNCTION platform.tenant() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('app.tenant', true), '')::bigint $$;

-- sum(bigint) answers numeric and is several times slower; this one stays bigint, exact, and refuses to overflow.
CREATE AGGREGATE platform.sum8(bigint) (SFUNC = int8pl, STYPE = bigint, COMBINEFUNC = int8pl, PARALLEL = SAFE);

-- Rounds n/d (whole numbers, d > 0) once. The oracle in tests/oracle holds it to kernel's roundRatio.
CREATE FUNCTION platform.round_ratio(n numeric, d numeric, rounding text) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (CASE rounding
    WHEN 'down' THEN div(n, d)
    WHEN 'floor' THEN div(n, d) - CASE WHEN n < 0 AND mod(n, d) <> 0 THEN 1 ELSE 0 END
    WHEN 'half_up' THEN sign(n) * div(2 * abs(n) + d, 2 * d)
    WHEN 'half_even' THEN sign(n) * (div(2 * abs(n) + d, 2 * d)
      - CASE WHEN mod(2 * abs(n) + d, 2 * d) = 0 AND mod(div(2 * abs(n) + d, 2 * d), 2) = 1 THEN 1 ELSE 0 END)
  END)::bigint
$$;

-- One share of a total by weights; what does not divide goes to the largest remainders, ties to the earlier weight.
CREATE FUNCTION platform.share(total bigint, weights bigint[], place int) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT sign(total)::bigint * (whole + CASE WHEN rank <= (abs(total) - platform_sum) THEN 1 ELSE 0 END)::bigint
  FROM (
    SELECT place AS wanted, i, whole, sum(whole) OVER () AS platform_sum, row_number() OVER (ORDER BY rest DESC, i) AS rank
    FROM (
      SELECT i, div(abs(total)::numeric * w, s) AS whole, mod(abs(total)::numeric * w, s) AS rest
      FROM unnest(weights) WITH ORDINALITY AS u(w, i), (SELECT sum(x) AS s FROM unnest(weights) AS t(x)) AS sums
    ) AS parts
  ) AS ranked
  WHERE i = wanted
$$;

-- The order in which things were recorded: facts, inputs, decisions. It orders and audits; no window reads it.
CREATE SEQUENCE platform.recorded_seq CACHE 1;
GRANT USAGE ON SEQUENCE platform.recorded_seq TO premia_app, premia_load;

CREATE TABLE platform.calendar (
  day date PRIMARY KEY,
  week_start date NOT NULL, month_start date NOT NULL, quarter_start date NOT NULL, year_start date NOT NULL,
  weekday smallint NOT NULL
);
COMMENT ON TABLE platform.calendar IS 'Day to week, month, quarter, year and ISO weekday. The same for all tenants.';
INSERT INTO platform.calendar
SELECT d::date, date_trunc('week', d)::date, date_trunc('month', d)::date, date_trunc('quarter', d)::date, date_trunc('year', d)::date,
  extract(isodow FROM d)::smallint
FROM generate_series(timestamp '1990-01-01', timestamp '2100-12-31', interval '1 day') AS d;
GRANT SELECT ON platform.calendar TO premia_app, premia_load;

-- Row-level security, forced, for one table; `can` lists what the application may do beside reading.
CREATE FUNCTION platform.guard(guarded regclass, can text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', guarded);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', guarded);
  EXECUTE format('CREATE POLICY tenant ON %s USING (tenant_id = (SELECT platform.tenant())) WITH CHECK (tenant_id = (SELECT platform.tenant()))', guarded);
  EXECUTE format('GRANT SELECT, %s ON %s TO premia_app', can, guarded);
END $$;

CREATE TABLE platform.outbox (
  tenant_id bigint NOT NULL,
  event_id bigint GENERATED ALWAYS AS IDENTITY,
  program_id bigint,
  type text NOT NULL,
  payload jsonb NOT NULL,
  recorded_at timestamptz NOT NULL,
  sent_at timestamptz,
  PRIMARY KEY (tenant_id, event_id)
);
SELECT platform.guard('platform.outbox', 'INSERT, UPDATE (sent_at)');

-- One deterministic order for everything that touches members: the lock is a row, taken by INSERT … ON CONFLICT DO UPDATE,
-- since a cluster refuses FOR UPDATE across shards.
CREATE TABLE platform.member_lock (
  tenant_id bigint NOT NULL,
  member_id bigint NOT NULL,
  taken bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, member_id)
);
SELECT platform.guard('platform.member_lock', 'INSERT, UPDATE');

CREATE TABLE platform.idempotency (
  tenant_id bigint NOT NULL,
  principal text NOT NULL,
  route text NOT NULL,
  key text NOT NULL,
  fingerprint text NOT NULL,
  status int,
  -- text, not jsonb: the stored answer is given again byte for byte
  body text,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, principal, route, key)
);
SELECT platform.guard('platform.idempotency', 'INSERT, UPDATE, DELETE');
