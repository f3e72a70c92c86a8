/** Every statement over staged rows. They read and write through the view that shows one tenant. */

type Takes = 'tenant' | 'program' | 'import' | 'source' | 'currency' | 'unknown';
type Check = { text: string; takes: readonly Takes[] };

const OF = 's.program_id = $1 AND s.import_id = $2 AND s.problem IS NULL';
const OPEN = `${OF} AND s.outcome IS NULL`;
const problem = (column: string, value: string, reason: string): string => `jsonb_build_object('line', s.row_no, 'column', ${column}, 'value', ${value}, 'reason', ${reason})`;

/** What only the whole import shows. Each sets rows aside with a reason. */
export const CHECKS: readonly Check[] = [
  { takes: ['program', 'import'], text: `WITH mixed AS MATERIALIZED (
      SELECT number FROM staging.staged AS s WHERE ${OF} GROUP BY number HAVING count(DISTINCT currency) > 1) UPDATE staging.staged AS s SET problem = ${problem(`'currency'`, 's.currency', `'currencies_mixed'`)} FROM mixed WHERE ${OPEN} AND s.number = mixed.number` },
  { takes: ['program', 'import'], text: `WITH mixed AS MATERIALIZED (
      SELECT number, min(occurred_on) AS first FROM staging.staged AS s WHERE ${OF} GROUP BY number HAVING count(DISTINCT occurred_on) > 1) UPDATE staging.staged AS s SET problem = ${problem(`'date'`, 's.occurred_on::text', `'document_dates_differ'`)} FROM mixed WHERE ${OPEN} AND s.number = mixed.number` },
  { takes: ['program', 'import'], text: `WITH mixed AS MATERIALIZED (
      SELECT number FROM staging.staged AS s WHERE ${OF} GROUP BY number HAVING count(DISTINCT kind || COALESCE(base_number, '')) > 1) UPDATE staging.staged AS s SET problem = ${problem(`'document'`, 's.number', `'document_kinds_differ'`)} FROM mixed WHERE ${OPEN} AND s.number = mixed.number` },
  // The same numbered line with other content: the first stands, the later ones are a person's to decide.
  { takes: ['program', 'import'], text: `WITH later AS MATERIALIZED (
      SELECT part, row_no FROM (SELECT part, row_no, content_hash, first_value(content_hash) OVER same AS first_hash FROM staging.staged AS s WHERE ${OF} AND line_no IS NOT NULL
        WINDOW same AS (PARTITION BY number, line_no ORDER BY part, row_no)) AS x WHERE content_hash <> first_hash) UPDATE staging.staged AS s SET problem = ${problem(`'line'`, `s.number || ' / ' || s.line_no`, `'line_repeated_changed'`)} FROM later WHERE ${OPEN} AND s.part = later.part AND s.row_no = later.row_no` },
  // 205 beside a known 0205: a spreadsheet ate the zero. The code must not find another product, nor make a new one. Known codes are looked
  // up in a hash made once: IS TRUE keeps the planner from turning it into a join, which looped over all products for every row (1.4 s for 1,500).
  { takes: ['program', 'import'], text: `WITH bare AS MATERIALIZED (SELECT ltrim(p.sku, '0') AS code FROM facts.product AS p WHERE p.program_id = $1 AND p.known AND p.sku LIKE '0%')
      UPDATE staging.staged AS s SET problem = ${problem(`'product'`, 's.product_code', `'leading_zero_lost'`)}
      WHERE ${OPEN} AND s.product_code ~ '^[1-9][0-9]*$' AND (s.product_code IN (SELECT code FROM bare)) IS TRUE
        AND NOT EXISTS (SELECT 1 FROM facts.product AS p WHERE p.program_id = $1 AND p.sku = s.product_code AND p.known)` },
  { takes: ['program', 'import', 'currency'], text: `UPDATE staging.staged AS s SET problem = ${problem(`'currency'`, 's.currency', `'rate_missing'`)}
      WHERE ${OPEN} AND s.currency <> $3 AND NOT EXISTS (SELECT 1 FROM facts.rate AS r WHERE r.program_id = $1 AND r.currency = s.currency AND r.day <= s.occurred_on AND r.day > s.occurred_on - 8)` },
  { takes: ['program', 'import', 'unknown'], text: `UPDATE staging.staged AS s SET problem = ${problem(`'party'`, `COALESCE(s.buyer, s.rep, s.seller)`, `'party_unknown'`)}
      WHERE ${OPEN} AND $3::text = 'quarantine' AND EXISTS (SELECT 1 FROM (VALUES (s.buyer), (s.seller), (s.rep)) AS named(reference) WHERE named.reference IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM members.member_key AS k WHERE k.program_id = $1 AND k.reference = named.reference))` },
];

/** Rows that could be read but failed a check are judged again. $1 program, $2 import. */
export const REOPEN = `UPDATE staging.staged AS s SET problem = NULL WHERE s.program_id = $1 AND s.import_id = $2 AND s.problem IS NOT NULL AND s.outcome IS NULL AND s.number IS NOT NULL`;

export const CHUNK_LINES = 10_000;
/** The first chunks are small: after them the planner knows the members and facts of a program that has just begun. */
const FIRST_LINES = 500;
/** Chunks are recorded by so many lanes side by side: chunk n by lane n % IMPORT_LANES, a member's documents in one lane as far as that goes. */
export const IMPORT_LANES = 2;

/**
 * Line keys with occurrences counted through the whole import, and chunks of whole documents to record, a lane's one by one. By windows alone
 * into an indexed table, without a join: joined with itself the planner once took the import for one row and looped for minutes.
 */
export const KEYS_AND_CHUNKS: readonly { text: string; takes: boolean }[] = [
  { takes: false, text: 'CREATE TEMP TABLE IF NOT EXISTS staged_key (part int, row_no bigint, line_key text NOT NULL, chunk int NOT NULL, PRIMARY KEY (part, row_no)) ON COMMIT DELETE ROWS' },
  { takes: true, text: `
    INSERT INTO pg_temp.staged_key (part, row_no, line_key, chunk)
    SELECT part, row_no, CASE WHEN line_no IS NOT NULL THEN 'n:' || line_no ELSE 'c:' || content_hash || ':' || row_number() OVER (PARTITION BY number, content_hash ORDER BY (outcome IS NULL), part, row_no) END,
      lane + ${IMPORT_LANES} * CASE WHEN line_before < ${FIRST_LINES} THEN 0 ELSE 1 + line_before / ${CHUNK_LINES} END::int
    FROM (SELECT *, rank() OVER (PARTITION BY lane ORDER BY document_place, number) - 1 AS line_before FROM (SELECT s.part, s.row_no, s.number, s.line_no, s.content_hash, s.outcome, min(s.part::bigint * 1099511627776 + s.row_no) OVER document AS document_place,
        abs(hashtext(COALESCE(min(s.rep) OVER document, min(s.seller) OVER document, min(s.buyer) OVER document, '')) % ${IMPORT_LANES}) AS lane
      FROM staging.staged AS s WHERE ${OF} WINDOW document AS (PARTITION BY s.number)) AS placed) AS ranked` },
  { takes: true, text: `UPDATE staging.staged AS s SET line_key = k.line_key, chunk = k.chunk FROM pg_temp.staged_key AS k WHERE ${OPEN} AND k.part = s.part AND k.row_no = s.row_no` },
];

/** $1 tenant, $2 program, $3 source, $4 import. */
export const PREVIEW = `
  SELECT count(*) AS rows, count(*) FILTER (WHERE s.problem IS NULL) AS ready, count(*) FILTER (WHERE s.problem IS NOT NULL) AS quarantined, count(DISTINCT s.number) FILTER (WHERE s.problem IS NULL) AS documents,
    count(*) FILTER (WHERE s.problem IS NULL AND l.line_key IS NULL) AS new, count(*) FILTER (WHERE s.problem IS NULL AND l.content_hash = s.content_hash) AS known,
    count(*) FILTER (WHERE s.problem IS NULL AND l.content_hash <> s.content_hash) AS conflict
  FROM staging.staged AS s
  LEFT JOIN facts.document AS d ON d.tenant_id = $1 AND d.program_id = $2 AND d.source_id = $3 AND d.number = s.number
  LEFT JOIN facts.line AS l ON l.tenant_id = $1 AND l.program_id = $2 AND l.document_id = d.document_id AND l.line_key = s.line_key
  WHERE s.program_id = $2 AND s.import_id = $4`;

export const PLACE = '(s.part::bigint * 1099511627776 + s.row_no)';

/** Moves one chunk into pg_temp.incoming, converted into the program's currency at the rate of the day (or up to a week before). */
export const LOAD_CHUNK = `
  INSERT INTO pg_temp.incoming (place, number, kind, occurred_on, occurred_at, hour, base_number, base_line_key, line_key, content_hash, product_code, product_name, quantity_milli, net_minor, gross_minor,
    currency, original, buyer, seller, rep, shares, channel, attributes)
  SELECT ${PLACE}, s.number, s.kind, s.occurred_on, s.occurred_at, s.hour, s.base_number, s.base_line_key, s.line_key, s.content_hash, s.product_code, s.product_name, s.quantity_milli,
    CASE WHEN r.rate_n IS NULL THEN s.net_minor ELSE platform.round_ratio(s.net_minor::numeric * r.rate_n, r.rate_d, 'half_up') END,
    CASE WHEN r.rate_n IS NULL THEN s.gross_minor ELSE platform.round_ratio(s.gross_minor::numeric * r.rate_n, r.rate_d, 'half_up') END,
    s.currency, CASE WHEN r.rate_n IS NOT NULL THEN jsonb_build_object('currency', s.currency, 'netMinor', s.net_minor::text, 'grossMinor', s.gross_minor::text, 'rate', r.rate_n || '/' || r.rate_d, 'rateOn', r.day, 'origin', r.origin) END,
    s.buyer, s.seller, s.rep, s.shares, s.channel, s.attributes
  FROM staging.staged AS s
  LEFT JOIN LATERAL (SELECT r.* FROM facts.rate AS r WHERE s.currency <> $4::text AND r.tenant_id = $1 AND r.program_id = $2 AND r.currency = s.currency AND r.day <= s.occurred_on ORDER BY r.day DESC LIMIT 1) AS r ON TRUE
  WHERE s.program_id = $2 AND s.import_id = $3 AND s.problem IS NULL AND s.chunk = $5 AND s.outcome IS NULL`;

export const STORE_OUTCOMES = `
  UPDATE staging.staged AS s SET outcome = i.outcome FROM pg_temp.incoming AS i
  WHERE s.program_id = $1 AND s.import_id = $2 AND s.chunk = $3 AND s.problem IS NULL AND i.place = ${PLACE}`;

export const OPEN_CHUNKS = `SELECT DISTINCT chunk FROM staging.staged AS s WHERE s.program_id = $1 AND s.import_id = $2 AND s.problem IS NULL AND s.outcome IS NULL ORDER BY chunk`;

/**
 * Products that an import's rows name and nobody knows, made before its lanes begin: made inside them, each lane would wait for the other's whole
 * chunk wherever both meet the same new code (1.4 of 12 s for 77,628 lines). $1 tenant, $2 program, $3 source, $4 import.
 */
export const MAKE_PRODUCTS_OF_IMPORT = `
  INSERT INTO facts.product (tenant_id, program_id, sku, name, known)
  SELECT DISTINCT ON (s.product_code) $1::bigint, $2::bigint, s.product_code, s.product_name, false FROM staging.staged AS s
  WHERE s.program_id = $2 AND s.import_id = $4 AND s.problem IS NULL AND s.outcome IS NULL AND s.product_code IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM facts.product_alias AS a WHERE a.tenant_id = $1 AND a.program_id = $2 AND a.source_id = $3 AND a.code = s.product_code)
    AND NOT EXISTS (SELECT 1 FROM facts.product AS p WHERE p.tenant_id = $1 AND p.program_id = $2 AND p.sku = s.product_code)
  ORDER BY s.product_code, ${PLACE} ON CONFLICT (tenant_id, program_id, sku) DO NOTHING`;
