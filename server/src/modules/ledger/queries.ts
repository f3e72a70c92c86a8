/** Every statement of posting. $1 tenant, $2 program, $3 booking day; where a text writes transfers, $4 the moment, $5 the run. */

export const EMPTY_TAKES = 'DELETE FROM pg_temp.lot_take';
export const EMPTY_MOVES = 'DELETE FROM pg_temp.wallet_move';

/** How many differences there are, and whether any takes back. */
export const LOOK_AT_DIFFERENCES = 'SELECT count(*)::int AS differences, COALESCE(bool_or(delta < 0), false) AS takes FROM pg_temp.difference';

/** Grants never expire sooner than the unit's grace after booking. */
const NETS = `(SELECT d.member_id, d.unit_id, d.gate, d.available_on, sum(d.delta)::bigint AS net,
    CASE WHEN sum(d.delta) > 0 THEN GREATEST(d.expires_on, $3::date + u.grace_days) ELSE d.expires_on END AS expires_on
  FROM pg_temp.difference AS d JOIN ledger.unit AS u ON u.tenant_id = $1 AND u.program_id = $2 AND u.unit_id = d.unit_id
  GROUP BY d.member_id, d.unit_id, d.gate, d.available_on, d.expires_on, u.grace_days)`;

/** One transfer per difference. */
export const POST_TRANSFERS = `
    INSERT INTO ledger.transfer (tenant_id, program_id, member_id, unit_id, debit, credit, amount, kind, booked_on, booked_at, mechanic_id, window_start, subject_id, run_seq)
    SELECT $1::bigint, $2::bigint, d.member_id, d.unit_id, CASE WHEN d.delta > 0 THEN 'issued' ELSE 'wallet' END, CASE WHEN d.delta > 0 THEN 'wallet' ELSE 'issued' END,
      abs(d.delta), CASE WHEN d.delta > 0 THEN 'grant' ELSE 'takeback' END, $3::date, $4::timestamptz, d.mechanic_id, d.window_start, d.subject_id, $5::bigint
    FROM pg_temp.difference AS d WHERE d.delta <> 0 ORDER BY d.member_id, d.mechanic_id, d.window_start, d.subject_id, d.delta`;

/** Within one run what a lot gains and loses is netted: only what is left over has to be found elsewhere. */
export const GRANT_LOTS = `
    INSERT INTO ledger.lot (tenant_id, program_id, member_id, unit_id, gate, available_on, expires_on, remaining)
    SELECT $1::bigint, $2::bigint, n.member_id, n.unit_id, n.gate, n.available_on, n.expires_on, sum(n.net) FROM ${NETS} AS n WHERE n.net > 0
    GROUP BY n.member_id, n.unit_id, n.gate, n.available_on, n.expires_on ORDER BY n.member_id
    ON CONFLICT (tenant_id, program_id, member_id, unit_id, gate, available_on, expires_on) DO UPDATE SET remaining = ledger.lot.remaining + excluded.remaining`;

/** A correction takes from its own lot, then from what of it has expired; `need` is what it did not find. */
export const TAKE_OWN_LOTS = `
    INSERT INTO pg_temp.lot_take (member_id, unit_id, lot_id, from_remaining, from_expired, need)
    SELECT n.member_id, n.unit_id, l.lot_id, LEAST(COALESCE(l.remaining, 0), -n.net),
      LEAST(COALESCE(l.expired, 0), -n.net - LEAST(COALESCE(l.remaining, 0), -n.net)),
      -n.net - LEAST(COALESCE(l.remaining, 0), -n.net) - LEAST(COALESCE(l.expired, 0), -n.net - LEAST(COALESCE(l.remaining, 0), -n.net))
    FROM ${NETS} AS n LEFT JOIN ledger.lot AS l ON l.tenant_id = $1 AND l.program_id = $2 AND l.member_id = n.member_id AND l.unit_id = n.unit_id
      AND l.gate = n.gate AND l.available_on = n.available_on AND l.expires_on = n.expires_on
    WHERE n.net < 0`;

export const EMPTY_OWN_LOTS = `
    UPDATE ledger.lot AS l SET remaining = l.remaining - t.from_remaining, expired = l.expired - t.from_expired
    FROM pg_temp.lot_take AS t WHERE l.tenant_id = $1 AND l.program_id = $2 AND l.member_id = t.member_id AND l.lot_id = t.lot_id AND (t.from_remaining > 0 OR t.from_expired > 0)`;

/** What each wallet moves by. Answers whether any is in debt or takes back what had expired: the steps of debt follow only then. */
export const FILL_MOVES = `
    WITH added AS (
    INSERT INTO pg_temp.wallet_move (member_id, unit_id, delta, revived, debt_old, debt_new)
    SELECT d.member_id, d.unit_id, d.delta, COALESCE(t.revived, 0), COALESCE(w.debt, 0), COALESCE(t.need, 0) + COALESCE(w.debt, 0)
    FROM (SELECT member_id, unit_id, sum(delta)::bigint AS delta FROM pg_temp.difference GROUP BY 1, 2) AS d
    LEFT JOIN (SELECT member_id, unit_id, sum(need)::bigint AS need, sum(from_expired)::bigint AS revived FROM pg_temp.lot_take GROUP BY 1, 2) AS t USING (member_id, unit_id)
    LEFT JOIN ledger.wallet AS w ON w.tenant_id = $1 AND w.program_id = $2 AND w.member_id = d.member_id AND w.unit_id = d.unit_id RETURNING debt_new, revived
    ) SELECT COALESCE(bool_or(debt_new > 0 OR revived > 0), false) AS owing FROM added`;

/** What is still needed – this run's shortage and older debt – is taken along the member's lots, each giving what it has. */
export const TAKE_ALONG = `
    INSERT INTO pg_temp.lot_take (member_id, unit_id, lot_id, from_remaining, from_expired, need)
    SELECT member_id, unit_id, lot_id, LEAST(remaining, debt_new - before), 0, 0 FROM (
      SELECT m.member_id, m.unit_id, m.debt_new, l.lot_id, l.remaining,
        sum(l.remaining) OVER (PARTITION BY m.member_id, m.unit_id ORDER BY (l.gate <> '' OR l.available_on > $3::date), l.expires_on, l.available_on, l.lot_id)::bigint - l.remaining AS before
      FROM pg_temp.wallet_move AS m JOIN ledger.lot AS l ON l.tenant_id = $1 AND l.program_id = $2 AND l.member_id = m.member_id AND l.unit_id = m.unit_id
      JOIN ledger.unit AS u ON u.tenant_id = $1 AND u.program_id = $2 AND u.unit_id = m.unit_id
      LEFT JOIN ledger.wallet AS w ON w.tenant_id = $1 AND w.program_id = $2 AND w.member_id = m.member_id AND w.unit_id = m.unit_id
      WHERE m.debt_new > 0 AND l.remaining > 0 AND ledger.last_day(l.expires_on, u.idle_months, COALESCE(w.active_on, '-infinity')) >= $3::date
    ) AS along WHERE before < debt_new`;

export const EMPTY_LOTS = `
    UPDATE ledger.lot AS l SET remaining = l.remaining - t.from_remaining FROM pg_temp.lot_take AS t
    WHERE l.tenant_id = $1 AND l.program_id = $2 AND l.member_id = t.member_id AND l.lot_id = t.lot_id`;

export const SETTLE_DEBT = `
    UPDATE pg_temp.wallet_move AS m SET debt_new = m.debt_new - t.found
    FROM (SELECT member_id, unit_id, sum(from_remaining)::bigint AS found FROM pg_temp.lot_take GROUP BY 1, 2) AS t WHERE t.member_id = m.member_id AND t.unit_id = m.unit_id`;

export const POST_DEBT = `
    INSERT INTO ledger.transfer (tenant_id, program_id, member_id, unit_id, debit, credit, amount, kind, booked_on, booked_at, run_seq)
    SELECT $1::bigint, $2::bigint, m.member_id, m.unit_id, x.debit, x.credit, x.amount, x.kind, $3::date, $4::timestamptz, $5::bigint
    FROM pg_temp.wallet_move AS m JOIN ledger.unit AS u ON u.tenant_id = $1 AND u.program_id = $2 AND u.unit_id = m.unit_id CROSS JOIN LATERAL (VALUES
      ('expired', 'wallet', m.revived, 'expiry_reversal'),
      ('debt', 'wallet', m.debt_new - m.debt_old, 'debt'),
      ('wallet', 'debt', m.debt_old - m.debt_new, 'debt_settled'),
      ('adjusted', 'debt', CASE WHEN u.debt_policy = 'write_off' THEN m.debt_new ELSE 0 END, 'write_off')) AS x(debit, credit, amount, kind)
    WHERE x.amount > 0 ORDER BY m.member_id`;

export const OPEN_WALLETS = `
    INSERT INTO ledger.wallet (tenant_id, program_id, member_id, unit_id) SELECT $1::bigint, $2::bigint, m.member_id, m.unit_id FROM pg_temp.wallet_move AS m ORDER BY m.member_id
    ON CONFLICT DO NOTHING`;

export const MOVE_WALLETS = `
    UPDATE ledger.wallet AS w SET balance = w.balance + m.delta + m.revived + m.debt_new - m.debt_old, debt = CASE WHEN u.debt_policy = 'write_off' THEN 0 ELSE m.debt_new END
    FROM pg_temp.wallet_move AS m, ledger.unit AS u WHERE w.tenant_id = $1 AND w.program_id = $2 AND w.member_id = m.member_id AND w.unit_id = m.unit_id AND u.tenant_id = $1 AND u.program_id = $2 AND u.unit_id = m.unit_id`;

/**
 * Whoever did something on the touched days stays active until then. Only units that expire after inactivity ask for it; a day that is
 * recorded late moves it forward, never back, and does not raise what was booked as expired.
 */
export const KEEP_ACTIVE = `
  INSERT INTO ledger.wallet (tenant_id, program_id, member_id, unit_id, active_on)
  SELECT $1::bigint, $2::bigint, t.member_id, u.unit_id, max(t.day) FROM pg_temp.touch AS t JOIN ledger.unit AS u ON u.tenant_id = $1 AND u.program_id = $2 AND u.idle_months > 0
  WHERE t.day <= $3::date GROUP BY t.member_id, u.unit_id ORDER BY t.member_id
  ON CONFLICT (tenant_id, program_id, member_id, unit_id) DO UPDATE SET active_on = GREATEST(ledger.wallet.active_on, excluded.active_on)`;
