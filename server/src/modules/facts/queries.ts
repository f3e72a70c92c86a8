import { literal } from '@premia/algebra';

/** The base line of a line that replaces another in its document and answers for itself. */
export const LINE_OF_ITS_OWN = '=';

/** Every statement of recording. $1 tenant, $2 program, $3 source, $4 recorded_seq, where a text takes them. */

/** Who the incoming lines name, in the roles that the program rewards. Answers how many, and whether somebody is unknown. */
export const fillParties = (roles: readonly string[]): string => `
  WITH added AS (
  INSERT INTO pg_temp.party (reference, member_id)
  SELECT DISTINCT named.reference, COALESCE(member.merged_into, member.member_id) FROM (
    ${roles.map((role) => `SELECT ${role} AS reference FROM pg_temp.incoming WHERE ${role} IS NOT NULL`).join(' UNION ')}
    ${roles.includes('rep') ? `UNION SELECT share ->> 'ref' FROM pg_temp.incoming, jsonb_array_elements(shares) AS share WHERE shares IS NOT NULL` : ''}
  ) AS named
  LEFT JOIN LATERAL (SELECT k.member_id FROM members.member_key AS k WHERE k.tenant_id = $1 AND k.program_id = $2 AND k.reference = named.reference OFFSET 0) AS k ON TRUE
  LEFT JOIN LATERAL (SELECT m.member_id, m.merged_into FROM members.member AS m WHERE m.tenant_id = $1 AND m.program_id = $2 AND m.member_id = k.member_id OFFSET 0) AS member ON TRUE
  WHERE named.reference IS NOT NULL RETURNING member_id
  ) SELECT count(*)::int AS parties, COALESCE(bool_or(member_id IS NULL), false) AS unknown FROM added`;

/** Corrections and their bases must not miss each other: originals share a bucket's lock, corrections take it alone. In the buckets' order. */
export const LOCK_BASES = `
  SELECT CASE WHEN alone THEN pg_advisory_xact_lock(bucket) IS NULL ELSE pg_advisory_xact_lock_shared(bucket) IS NULL END FROM (
    SELECT $3::bigint * 64 + bucket AS bucket, bool_or(alone) AS alone FROM (
      SELECT abs(hashtextextended(number, $1::bigint * 31 + $2::bigint)) % 64 AS bucket, false AS alone FROM pg_temp.incoming
      UNION ALL SELECT abs(hashtextextended(base_number, $1::bigint * 31 + $2::bigint)) % 64, true FROM pg_temp.incoming WHERE base_number IS NOT NULL
    ) AS needed GROUP BY 1 ORDER BY 1
  ) AS ordered`;

/** LATERAL … OFFSET 0 here and below: look-ups go from the few incoming rows to the large tables, whatever statistics say of a table that has just begun.
 * Members this run may move: the named ones, those credited on the bases, those of corrections that wait for these documents. */
export const LOCK_MEMBERS = `
  INSERT INTO platform.member_lock (tenant_id, member_id, taken)
  SELECT $1::bigint, member_id, 1 FROM (
    SELECT member_id FROM pg_temp.party WHERE member_id IS NOT NULL
    UNION SELECT f.member_id FROM (SELECT DISTINCT base_number FROM pg_temp.incoming WHERE base_number IS NOT NULL) AS b
      CROSS JOIN LATERAL (SELECT d.document_id FROM facts.document AS d WHERE d.tenant_id = $1 AND d.program_id = $2 AND d.source_id = $3 AND d.number = b.base_number OFFSET 0) AS d
      CROSS JOIN LATERAL (SELECT f.member_id FROM facts.fact AS f WHERE f.tenant_id = $1 AND f.program_id = $2 AND f.base_document_id = d.document_id OFFSET 0) AS f
    UNION SELECT k.member_id FROM (SELECT DISTINCT number FROM pg_temp.incoming WHERE EXISTS (SELECT 1 FROM facts.waiting AS w WHERE w.tenant_id = $1 AND w.program_id = $2 AND w.source_id = $3)) AS n
      CROSS JOIN LATERAL (SELECT w.document_id FROM facts.waiting AS w WHERE w.tenant_id = $1 AND w.program_id = $2 AND w.source_id = $3 AND w.base_number = n.number OFFSET 0) AS w
      CROSS JOIN LATERAL (SELECT l.buyer, l.seller, l.rep FROM facts.line AS l WHERE l.tenant_id = $1 AND l.program_id = $2 AND l.document_id = w.document_id OFFSET 0) AS l
      JOIN members.member_key AS k ON k.tenant_id = $1 AND k.program_id = $2 AND k.reference IN (l.buyer, l.seller, l.rep)
  ) AS moved ORDER BY member_id
  ON CONFLICT (tenant_id, member_id) DO UPDATE SET taken = platform.member_lock.taken + 1`;

export const INSERT_DOCUMENTS = `
  WITH added AS (
    INSERT INTO facts.document (tenant_id, program_id, source_id, number, kind, occurred_on, currency, base_number, recorded_seq)
    SELECT DISTINCT ON (number) $1::bigint, $2::bigint, $3::bigint, number, kind, occurred_on, currency, base_number, $4::bigint FROM pg_temp.incoming ORDER BY number, place
    ON CONFLICT (tenant_id, program_id, source_id, number) DO NOTHING RETURNING document_id, number
  ) UPDATE pg_temp.incoming AS i SET document_id = added.document_id, document_new = true FROM added WHERE added.number = i.number`;

/** Finds every line's document, and answers which of the following steps have anything to do. */
export const FIND_DOCUMENTS = `
  WITH found AS (
  UPDATE pg_temp.incoming AS i SET document_id = d.document_id, document_new = COALESCE(i.document_new, false),
    outcome = CASE WHEN (d.kind, d.occurred_on, d.currency, COALESCE(d.base_number, '')) IS DISTINCT FROM (i.kind, i.occurred_on, i.currency, COALESCE(i.base_number, '')) THEN 'conflict' END
  FROM facts.document AS d WHERE d.tenant_id = $1 AND d.program_id = $2 AND d.source_id = $3 AND d.number = i.number
  RETURNING i.number, i.line_key, i.document_new, i.outcome, i.base_number, i.shares
  ) SELECT COALESCE(bool_or(NOT document_new OR outcome = 'conflict'), false) OR count(*) > count(DISTINCT (number, line_key)) AS again, COALESCE(bool_or(base_number IS NOT NULL), false) AS corrects,
    COALESCE(bool_or(shares IS NOT NULL), false) AS splits, EXISTS (SELECT 1 FROM facts.waiting WHERE tenant_id = $1 AND program_id = $2 AND source_id = $3) AS awaited FROM found`;

/** A line already there with the same content is recorded already; with other content it is in conflict and a person decides. */
export const CLASSIFY_LINES = `
  UPDATE pg_temp.incoming AS i SET outcome = CASE WHEN l.content_hash = i.content_hash THEN 'known' ELSE 'conflict' END
  FROM facts.line AS l WHERE i.outcome IS NULL AND NOT i.document_new AND l.tenant_id = $1 AND l.program_id = $2 AND l.document_id = i.document_id AND l.line_key = i.line_key`;

/** The same line twice in one call: the first counts when they agree; when they do not, the later ones are in conflict. */
export const CLASSIFY_REPEATED = `
  UPDATE pg_temp.incoming AS i SET outcome = CASE WHEN r.first_hash = i.content_hash THEN 'known' ELSE 'conflict' END
  FROM (SELECT place, first_value(content_hash) OVER same AS first_hash, row_number() OVER same AS nth FROM pg_temp.incoming WINDOW same AS (PARTITION BY number, line_key ORDER BY place)) AS r
  WHERE i.outcome IS NULL AND r.place = i.place AND r.nth > 1`;

/** Documents of a source that sends them whole: any difference from what is recorded is a conflict of the whole document. */
export const CLASSIFY_WHOLE = `
  UPDATE pg_temp.incoming AS i SET outcome = 'conflict'
  FROM (
    SELECT inc.number FROM (SELECT number, min(document_id) AS document_id, count(*) FILTER (WHERE outcome = 'known') AS known, count(*) AS sent FROM pg_temp.incoming WHERE NOT document_new GROUP BY number) AS inc
    WHERE inc.known < inc.sent OR inc.sent <> (SELECT count(*) FROM facts.line AS l WHERE l.tenant_id = $1 AND l.program_id = $2 AND l.document_id = inc.document_id)
  ) AS differing WHERE i.number = differing.number`;

const CONFLICTING = `SELECT number, md5(string_agg(concat_ws(':', kind, occurred_on, currency, base_number, line_key, content_hash), '|' ORDER BY place)) AS digest, min(place) AS place FROM pg_temp.incoming WHERE outcome = 'conflict' GROUP BY number`;

/** What a person has decided already is not asked again. */
export const CLASSIFY_DECIDED = `
  UPDATE pg_temp.incoming AS i SET outcome = 'known' FROM (${CONFLICTING}) AS d JOIN facts.conflict AS c ON c.tenant_id = $1 AND c.program_id = $2 AND c.source_id = $3 AND c.number = d.number AND c.digest = d.digest AND c.state <> 'open'
  WHERE i.number = d.number AND i.outcome = 'conflict'`;

/** What came again changed is kept as it came, once, for a person to decide. $4 recorded_seq. */
export const KEEP_CONFLICTS = `
  INSERT INTO facts.conflict (tenant_id, program_id, source_id, number, digest, sent, recorded_seq)
  SELECT $1::bigint, $2::bigint, $3::bigint, d.number, d.digest, (SELECT jsonb_agg(to_jsonb(i) - ARRAY['document_id', 'document_new', 'outcome', 'line_id', 'product_id'] ORDER BY i.place) FROM pg_temp.incoming AS i WHERE i.number = d.number AND i.outcome = 'conflict'), $4::bigint
  FROM (${CONFLICTING}) AS d ORDER BY d.place ON CONFLICT (tenant_id, program_id, source_id, number, digest) DO NOTHING`;

export const UNKNOWN_PRODUCTS = `
  INSERT INTO facts.product (tenant_id, program_id, sku, name, known)
  SELECT DISTINCT ON (product_code) $1::bigint, $2::bigint, product_code, product_name, false FROM pg_temp.incoming
  WHERE outcome IS NULL AND product_code IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM facts.product_alias AS a WHERE a.tenant_id = $1 AND a.program_id = $2 AND a.source_id = $3 AND a.code = product_code)
    AND NOT EXISTS (SELECT 1 FROM facts.product AS p WHERE p.tenant_id = $1 AND p.program_id = $2 AND p.sku = product_code)
  ORDER BY product_code, place ON CONFLICT (tenant_id, program_id, sku) DO NOTHING`;

export const FIND_PRODUCTS = `
  WITH filled AS (
  UPDATE pg_temp.incoming AS i SET product_id = found.product_id FROM (
    SELECT DISTINCT codes.product_code, COALESCE(a.product_id, p.same_as, p.product_id) AS product_id FROM (SELECT DISTINCT product_code FROM pg_temp.incoming WHERE outcome IS NULL) AS codes
    LEFT JOIN facts.product_alias AS a ON a.tenant_id = $1 AND a.program_id = $2 AND a.source_id = $3 AND a.code = codes.product_code
    LEFT JOIN facts.product AS p ON p.tenant_id = $1 AND p.program_id = $2 AND p.sku = codes.product_code
  ) AS found WHERE i.product_code = found.product_code RETURNING i.product_id
  ) SELECT COALESCE(bool_or(product_id IS NULL), false) AS unknown FROM filled`;

export const INSERT_LINES = `
    INSERT INTO facts.line (tenant_id, program_id, document_id, line_key, content_hash, occurred_at, hour, product_id, quantity_milli, net_minor, gross_minor, original,
      buyer, seller, rep, shares, channel, attributes, base_line_key, recorded_seq)
    SELECT $1::bigint, $2::bigint, document_id, line_key, content_hash, occurred_at, hour, product_id, quantity_milli, net_minor, gross_minor, original,
      buyer, seller, rep, shares, channel, attributes, base_line_key, $3::bigint
    FROM pg_temp.incoming WHERE outcome IS NULL ORDER BY place`;

/** A look-up by the lines' key: joined with what the insertion returns, a batch of 256 sales cost ten times as much. */
export const FIND_LINES = `
  UPDATE pg_temp.incoming AS i SET outcome = 'new', line_id = l.line_id FROM facts.line AS l
  WHERE i.outcome IS NULL AND l.tenant_id = $1 AND l.program_id = $2 AND l.document_id = i.document_id AND l.line_key = i.line_key`;

/** New corrections wait first; those whose base is here are released in the next step, like any that waited for long. */
export const INSERT_WAITING = `
  INSERT INTO facts.waiting (tenant_id, program_id, source_id, base_number, document_id)
  SELECT DISTINCT $1::bigint, $2::bigint, $3::bigint, base_number, document_id FROM pg_temp.incoming WHERE outcome = 'new' AND base_number IS NOT NULL ON CONFLICT DO NOTHING`;

/** Lines that correct nothing and are not split: a fact for each party that is a member, straight from what came in. */
export const insertPlainFacts = (roles: readonly string[]): string => `
  INSERT INTO facts.fact (tenant_id, program_id, member_id, line_id, role, crediting, sign, kind, earned_on, occurred_on, document_id, base_on, base_document_id, base_line_id,
    hour, product_id, partner, channel, attributes, quantity_milli, net_minor, gross_minor, recorded_seq)
  SELECT $1::bigint, $2::bigint, x.* FROM (${roles.map((role) => `
    SELECT p.member_id, i.line_id, ${literal(role)}, 1, 1, 'sale', i.occurred_on, i.occurred_on AS on_day, i.document_id, i.occurred_on, i.document_id, i.line_id,
      i.hour, i.product_id, ${role === 'buyer' ? 'i.seller' : 'i.buyer'}, i.channel, i.attributes, i.quantity_milli, i.net_minor, COALESCE(i.gross_minor, i.net_minor), $3::bigint
    FROM pg_temp.incoming AS i JOIN pg_temp.party AS p ON p.reference = i.${role}
    WHERE i.outcome = 'new' AND i.base_number IS NULL AND p.member_id IS NOT NULL ${role === 'rep' ? 'AND i.shares IS NULL' : ''}`).join(' UNION ALL ')}) AS x
  ORDER BY 1, 2, 3, 4`;

export const touchPlain = (roles: readonly string[]): string => `
  INSERT INTO pg_temp.touch (member_id, day) ${roles.map((role) => `SELECT DISTINCT p.member_id, i.occurred_on FROM pg_temp.incoming AS i JOIN pg_temp.party AS p ON p.reference = i.${role}
    WHERE i.outcome = 'new' AND i.base_number IS NULL AND p.member_id IS NOT NULL`).join(' UNION ')}`;

/** Split lines take the longer road, with the corrections. */
export const CREDIT_SPLIT = `
  INSERT INTO pg_temp.credit (line_id, document_id, base_document_id, base_line_id, base_line_document_id, base_on)
  SELECT line_id, document_id, document_id, line_id, document_id, occurred_on FROM pg_temp.incoming WHERE outcome = 'new' AND base_number IS NULL AND shares IS NOT NULL`;

/**
 * Corrections whose base stands: a document that corrects nothing, or one that itself found its base (then both hang on the same
 * root). The base line is the one named, else the only line of the base with the same product, else the correction's own line.
 */
export const CREDIT_CORRECTIONS = `
  WITH ready AS (
    SELECT w.document_id, w.base_number, b.document_id AS base_document_id,
      COALESCE(root.base_document_id, b.document_id) AS root_id
    FROM facts.waiting AS w
    JOIN facts.document AS b ON b.tenant_id = $1 AND b.program_id = $2 AND b.source_id = $3 AND b.number = w.base_number AND b.document_id <> w.document_id
    LEFT JOIN LATERAL (SELECT f.base_document_id FROM facts.fact AS f WHERE f.tenant_id = $1 AND f.program_id = $2 AND f.document_id = b.document_id AND b.base_number IS NOT NULL LIMIT 1) AS root ON TRUE
    WHERE w.tenant_id = $1 AND w.program_id = $2 AND w.source_id = $3
      AND NOT EXISTS (SELECT 1 FROM facts.waiting AS still WHERE still.tenant_id = $1 AND still.program_id = $2 AND still.source_id = $3 AND still.document_id = b.document_id)
      AND (w.base_number IN (SELECT number FROM pg_temp.incoming) OR w.document_id IN (SELECT document_id FROM pg_temp.incoming)
        OR w.base_number IN (SELECT d.number FROM pg_temp.credit AS c JOIN facts.document AS d ON d.tenant_id = $1 AND d.program_id = $2 AND d.document_id = c.document_id))
  ), released AS (
    DELETE FROM facts.waiting AS w USING ready WHERE w.tenant_id = $1 AND w.program_id = $2 AND w.source_id = $3 AND w.document_id = ready.document_id RETURNING w.document_id
  )
  INSERT INTO pg_temp.credit (line_id, document_id, base_document_id, base_line_id, base_line_document_id, base_on)
  SELECT l.line_id, l.document_id, ready.root_id, COALESCE(named.line_id, CASE WHEN same.found = 1 THEN same.line_id END, l.line_id),
    CASE WHEN named.line_id IS NOT NULL THEN named.document_id WHEN same.found = 1 THEN ready.root_id ELSE l.document_id END, root.occurred_on
  FROM ready JOIN released USING (document_id)
  JOIN facts.document AS root ON root.tenant_id = $1 AND root.program_id = $2 AND root.document_id = ready.root_id
  JOIN facts.line AS l ON l.tenant_id = $1 AND l.program_id = $2 AND l.document_id = ready.document_id
  LEFT JOIN LATERAL (
    SELECT x.line_id, x.document_id FROM facts.line AS x WHERE x.tenant_id = $1 AND x.program_id = $2 AND x.document_id = ready.root_id AND x.line_key = l.base_line_key
    UNION ALL SELECT x.line_id, x.document_id FROM facts.document AS xd JOIN facts.line AS x ON x.tenant_id = $1 AND x.program_id = $2 AND x.document_id = xd.document_id AND x.line_key = l.base_line_key
      WHERE l.base_line_key LIKE '%~%' AND xd.tenant_id = $1 AND xd.program_id = $2 AND xd.source_id = $3 AND xd.base_number = root.number LIMIT 1
  ) AS named ON TRUE
  LEFT JOIN LATERAL (SELECT count(*) AS found, min(x.line_id) AS line_id FROM facts.line AS x WHERE x.tenant_id = $1 AND x.program_id = $2 AND x.document_id = ready.root_id AND x.product_id = l.product_id
    AND l.base_line_key IS DISTINCT FROM ${literal(LINE_OF_ITS_OWN)}) AS same ON TRUE
  ON CONFLICT DO NOTHING`;

/**
 * A fact for each party that is a member. A correction of a known line is credited to whoever its base was credited to. Shares of
 * a split are the difference of the splits after and before, so that parts of a return add up to the sale to the last grosz.
 */
export const insertFacts = (roles: readonly string[], correctionPeriod: boolean): string => `
  INSERT INTO facts.fact (tenant_id, program_id, member_id, line_id, role, crediting, sign, kind, earned_on, occurred_on, document_id, base_on, base_document_id, base_line_id,
    hour, product_id, partner, channel, attributes, quantity_milli, net_minor, gross_minor, recorded_seq)
  SELECT $1::bigint, $2::bigint, p.member_id, c.line_id, p.role, 1, 1, 'sale', ${correctionPeriod ? 'd.occurred_on' : 'c.base_on'}, d.occurred_on, c.document_id, c.base_on, c.base_document_id, c.base_line_id,
    base.hour, COALESCE(product.same_as, base.product_id), CASE WHEN p.role = 'buyer' THEN base.seller ELSE base.buyer END, base.channel, base.attributes,
    sum(CASE WHEN p.weights IS NULL THEN l.quantity_milli ELSE platform.share(before.quantity + l.quantity_milli, p.weights, p.place) - platform.share(before.quantity, p.weights, p.place) END),
    sum(CASE WHEN p.weights IS NULL THEN l.net_minor ELSE platform.share(before.net + l.net_minor, p.weights, p.place) - platform.share(before.net, p.weights, p.place) END),
    sum(CASE WHEN p.weights IS NULL THEN COALESCE(l.gross_minor, l.net_minor) ELSE platform.share(before.gross + COALESCE(l.gross_minor, l.net_minor), p.weights, p.place) - platform.share(before.gross, p.weights, p.place) END), $3::bigint
  FROM pg_temp.credit AS c
  JOIN facts.document AS d ON d.tenant_id = $1 AND d.program_id = $2 AND d.document_id = c.document_id
  JOIN facts.line AS l ON l.tenant_id = $1 AND l.program_id = $2 AND l.document_id = c.document_id AND l.line_id = c.line_id
  JOIN facts.line AS base ON base.tenant_id = $1 AND base.program_id = $2 AND base.document_id = c.base_line_document_id AND base.line_id = c.base_line_id
  LEFT JOIN facts.product AS product ON product.tenant_id = $1 AND product.program_id = $2 AND product.product_id = base.product_id
  CROSS JOIN LATERAL (
    ${roles.map((role) => (role === 'rep' ? REP_PARTIES : `SELECT ${literal(role)} AS role, base.${role} AS reference, NULL::bigint[] AS weights, 1 AS place WHERE base.${role} IS NOT NULL AND c.line_id <> ALL(ARRAY(SELECT i.line_id FROM pg_temp.incoming AS i WHERE i.outcome = 'new' AND i.base_number IS NULL AND i.shares IS NOT NULL))`)).join(' UNION ALL ')}
    ${roles.map((role) => `UNION ALL SELECT ${literal(role)}, NULL, NULL::bigint[], 1 WHERE base.${role} IS NULL ${role === 'rep' ? 'AND base.shares IS NULL' : ''}
      AND EXISTS (SELECT 1 FROM facts.recredit AS o WHERE o.tenant_id = $1 AND o.program_id = $2 AND o.document_id = c.base_document_id AND o.role = ${literal(role)})`).join(' ')}
  ) AS named
  LEFT JOIN LATERAL (SELECT o.member_id FROM facts.recredit AS o WHERE o.tenant_id = $1 AND o.program_id = $2 AND o.document_id = c.base_document_id AND o.role = named.role ORDER BY o.recorded_seq DESC LIMIT 1) AS decided ON TRUE
  JOIN LATERAL (
    SELECT COALESCE(m.merged_into, m.member_id) AS member_id, named.role, named.weights, named.place FROM members.member_key AS k
    JOIN members.member AS m ON m.tenant_id = $1 AND m.program_id = $2 AND m.member_id = k.member_id
    WHERE decided.member_id IS NULL AND k.tenant_id = $1 AND k.program_id = $2 AND k.reference = named.reference
    UNION ALL SELECT COALESCE(m.merged_into, m.member_id), named.role, NULL::bigint[], 1 FROM members.member AS m WHERE decided.member_id IS NOT NULL AND named.place = 1 AND m.tenant_id = $1 AND m.program_id = $2 AND m.member_id = decided.member_id
  ) AS p ON TRUE
  LEFT JOIN LATERAL (
    SELECT COALESCE(platform.sum8(x.quantity_milli), 0) AS quantity, COALESCE(platform.sum8(x.net_minor), 0) AS net, COALESCE(platform.sum8(COALESCE(x.gross_minor, x.net_minor)), 0) AS gross
    FROM (
      SELECT b.quantity_milli, b.net_minor, b.gross_minor FROM facts.line AS b WHERE p.weights IS NOT NULL AND b.tenant_id = $1 AND b.program_id = $2 AND b.document_id = c.base_line_document_id AND b.line_id = c.base_line_id AND b.line_id <> c.line_id
      UNION ALL SELECT e.quantity_milli, e.net_minor, e.gross_minor FROM (
        SELECT DISTINCT f.line_id, f.document_id FROM facts.fact AS f WHERE p.weights IS NOT NULL AND f.tenant_id = $1 AND f.program_id = $2 AND f.base_document_id = c.base_document_id AND f.base_line_id = c.base_line_id AND f.line_id <> c.base_line_id AND f.kind = 'sale'
        UNION SELECT c2.line_id, c2.document_id FROM pg_temp.credit AS c2 WHERE p.weights IS NOT NULL AND c2.base_line_id = c.base_line_id AND c2.line_id <> c2.base_line_id AND c2.line_id < c.line_id
      ) AS earlier JOIN facts.line AS e ON e.tenant_id = $1 AND e.program_id = $2 AND e.document_id = earlier.document_id AND e.line_id = earlier.line_id
    ) AS x
  ) AS before ON TRUE
  GROUP BY p.member_id, c.line_id, p.role, d.occurred_on, c.document_id, c.base_on, c.base_document_id, c.base_line_id, base.hour, COALESCE(product.same_as, base.product_id), base.seller, base.buyer, base.channel, base.attributes
  ORDER BY p.member_id, c.line_id`;

const REP_PARTIES = `SELECT 'rep' AS role, base.rep AS reference, NULL::bigint[] AS weights, 1 AS place WHERE base.rep IS NOT NULL AND base.shares IS NULL
    UNION ALL SELECT 'rep', s.item ->> 'ref', ARRAY(SELECT (w.item ->> 'weight')::bigint FROM jsonb_array_elements(base.shares) WITH ORDINALITY AS w(item, n) ORDER BY w.n), s.n::int
      FROM jsonb_array_elements(base.shares) WITH ORDINALITY AS s(item, n) WHERE base.shares IS NOT NULL`;

/** Days that the new facts move, their own and their sale's. */
export const TOUCH_NEW = `
  INSERT INTO pg_temp.touch (member_id, day)
  SELECT DISTINCT f.member_id, x.day FROM pg_temp.credit AS c
  JOIN facts.fact AS f ON f.tenant_id = $1 AND f.program_id = $2 AND f.base_document_id = c.base_document_id AND f.line_id = c.line_id
  CROSS JOIN LATERAL (VALUES (f.earned_on), (f.base_on)) AS x(day)`;

export const OUTCOMES = `
  SELECT number, count(*) FILTER (WHERE outcome = 'new') AS new, count(*) FILTER (WHERE outcome = 'known') AS known, count(*) FILTER (WHERE outcome = 'conflict') AS conflict,
    min(document_id) AS document_id, bool_or(base_number IS NOT NULL AND EXISTS (SELECT 1 FROM facts.waiting AS w WHERE w.tenant_id = $1 AND w.program_id = $2 AND w.document_id = i.document_id)) AS waiting,
    min(place) AS place
  FROM pg_temp.incoming AS i GROUP BY number ORDER BY min(place)`;

const DESCRIBED = 'kind, earned_on, occurred_on, document_id, base_on, base_document_id, base_line_id, hour, product_id, partner, channel, attributes';
const FACT = `tenant_id, program_id, member_id, line_id, role, crediting, sign, ${DESCRIBED}, quantity_milli, net_minor, gross_minor, recorded_seq`;

/** $1 tenant, $2 program, $3 document, $4 role. Whoever the document is credited to now, and the next crediting number. */
export const CREDITED_NOW = `SELECT COALESCE(max(crediting), 0)::int + 1 AS next, array_agg(DISTINCT member_id) AS members FROM facts.fact WHERE tenant_id = $1 AND program_id = $2 AND base_document_id = $3 AND role = $4`;

/** Takes back what each member holds of each line: $5 crediting, $6 recorded_seq. */
export const MINUS_FACTS = `
  INSERT INTO facts.fact (${FACT})
  SELECT tenant_id, program_id, member_id, line_id, role, $5::int, -1, ${DESCRIBED}, -sum(quantity_milli)::bigint, -sum(net_minor)::bigint, -sum(gross_minor)::bigint, $6::bigint
  FROM facts.fact WHERE tenant_id = $1 AND program_id = $2 AND base_document_id = $3 AND role = $4
  GROUP BY tenant_id, program_id, member_id, line_id, role, ${DESCRIBED} HAVING sum(quantity_milli) <> 0 OR sum(net_minor) <> 0 OR sum(gross_minor) <> 0`;

/** Gives the same lines, whole, to one member: $5 crediting, $6 recorded_seq, $7 member. */
export const PLUS_FACTS = `
  INSERT INTO facts.fact (${FACT})
  SELECT tenant_id, program_id, $7::bigint, line_id, role, $5::int, 1, ${DESCRIBED}, -sum(quantity_milli)::bigint, -sum(net_minor)::bigint, -sum(gross_minor)::bigint, $6::bigint
  FROM facts.fact WHERE tenant_id = $1 AND program_id = $2 AND base_document_id = $3 AND role = $4 AND crediting = $5::int AND sign = -1
  GROUP BY tenant_id, program_id, line_id, role, ${DESCRIBED}`;

/** Lines of the document, and of corrections of it, that nobody was ever credited for in this role. $8: the correction's own date places it. */
export const PLUS_UNCREDITED = `
  INSERT INTO facts.fact (${FACT})
  SELECT l.tenant_id, l.program_id, $7::bigint, l.line_id, $4::text, $5::int, 1, 'sale', CASE WHEN $8::boolean THEN d.occurred_on ELSE root.occurred_on END, d.occurred_on, d.document_id, root.occurred_on, root.document_id, base.line_id,
    base.hour, base.product_id, CASE WHEN $4::text = 'buyer' THEN base.seller ELSE base.buyer END, base.channel, base.attributes, l.quantity_milli, l.net_minor, COALESCE(l.gross_minor, l.net_minor), $6::bigint
  FROM facts.document AS root
  JOIN facts.document AS d ON d.tenant_id = $1 AND d.program_id = $2 AND (d.document_id = root.document_id OR (d.source_id = root.source_id AND d.base_number = root.number))
  JOIN facts.line AS l ON l.tenant_id = $1 AND l.program_id = $2 AND l.document_id = d.document_id
  LEFT JOIN facts.line AS named ON named.tenant_id = $1 AND named.program_id = $2 AND named.document_id = root.document_id AND named.line_key = l.base_line_key AND d.document_id <> root.document_id
  CROSS JOIN LATERAL (SELECT COALESCE(named.line_id, l.line_id) AS line_id, CASE WHEN named.line_id IS NULL THEN l.hour ELSE named.hour END AS hour, CASE WHEN named.line_id IS NULL THEN l.product_id ELSE named.product_id END AS product_id,
    CASE WHEN named.line_id IS NULL THEN l.buyer ELSE named.buyer END AS buyer, CASE WHEN named.line_id IS NULL THEN l.seller ELSE named.seller END AS seller, CASE WHEN named.line_id IS NULL THEN l.channel ELSE named.channel END AS channel,
    CASE WHEN named.line_id IS NULL THEN l.attributes ELSE named.attributes END AS attributes) AS base
  WHERE root.tenant_id = $1 AND root.program_id = $2 AND root.document_id = $3
    AND NOT EXISTS (SELECT 1 FROM facts.fact AS f WHERE f.tenant_id = $1 AND f.program_id = $2 AND f.base_document_id = root.document_id AND f.line_id = l.line_id AND f.role = $4)`;

export const TOUCH_RECREDITED = `
  INSERT INTO pg_temp.touch (member_id, day) SELECT DISTINCT f.member_id, x.day FROM facts.fact AS f CROSS JOIN LATERAL (VALUES (f.earned_on), (f.base_on)) AS x(day)
  WHERE f.tenant_id = $1 AND f.program_id = $2 AND f.base_document_id = $3 AND f.role = $4 AND f.crediting = $5::int`;

/** A correction whose base is not awaited any more: a document of its own, on its own date. $3 document. */
export const CREDIT_GIVEN_UP = `
  INSERT INTO pg_temp.credit (line_id, document_id, base_document_id, base_line_id, base_line_document_id, base_on)
  SELECT l.line_id, l.document_id, l.document_id, l.line_id, l.document_id, d.occurred_on FROM facts.document AS d
  JOIN facts.line AS l ON l.tenant_id = $1 AND l.program_id = $2 AND l.document_id = d.document_id WHERE d.tenant_id = $1 AND d.program_id = $2 AND d.document_id = $3`;

/** Everything a member holds of facts, taken back and given to another: $3 from, $4 to, $5 recorded_seq. Crediting numbers go on from the highest. */
export const MERGE_FACTS = `
  WITH held AS (
    SELECT line_id, role, ${DESCRIBED}, max(crediting) + 1 AS crediting, sum(quantity_milli)::bigint AS quantity_milli, sum(net_minor)::bigint AS net_minor, sum(gross_minor)::bigint AS gross_minor
    FROM facts.fact WHERE tenant_id = $1 AND program_id = $2 AND member_id = $3 GROUP BY line_id, role, ${DESCRIBED} HAVING sum(quantity_milli) <> 0 OR sum(net_minor) <> 0 OR sum(gross_minor) <> 0
  ), numbered AS (
    SELECT h.*, GREATEST(h.crediting, COALESCE((SELECT max(x.crediting) + 1 FROM facts.fact AS x WHERE x.tenant_id = $1 AND x.program_id = $2 AND x.member_id = $4 AND x.line_id = h.line_id AND x.role = h.role), 0)) AS next FROM held AS h
  )
  INSERT INTO facts.fact (${FACT})
  SELECT $1::bigint, $2::bigint, x.member_id, n.line_id, n.role, n.next, x.sign, ${DESCRIBED.split(', ').map((name) => `n.${name}`).join(', ')}, x.sign * n.quantity_milli, x.sign * n.net_minor, x.sign * n.gross_minor, $5::bigint
  FROM numbered AS n CROSS JOIN LATERAL (VALUES ($3::bigint, -1), ($4::bigint, 1)) AS x(member_id, sign)`;

/** What was credited under one product, taken back and given under another: $3 old product, $4 new, $5 recorded_seq. */
export const MOVE_PRODUCT = `
  WITH held AS (
    SELECT member_id, line_id, role, ${DESCRIBED}, max(crediting) + 1 AS crediting, sum(quantity_milli)::bigint AS quantity_milli, sum(net_minor)::bigint AS net_minor, sum(gross_minor)::bigint AS gross_minor
    FROM facts.fact WHERE tenant_id = $1 AND program_id = $2 AND product_id = $3 GROUP BY member_id, line_id, role, ${DESCRIBED} HAVING sum(quantity_milli) <> 0 OR sum(net_minor) <> 0 OR sum(gross_minor) <> 0
  )
  INSERT INTO facts.fact (${FACT})
  SELECT $1::bigint, $2::bigint, h.member_id, h.line_id, h.role, h.crediting, x.sign, ${DESCRIBED.split(', ').map((name) => (name === 'product_id' ? 'x.product' : `h.${name}`)).join(', ')}, x.sign * h.quantity_milli, x.sign * h.net_minor, x.sign * h.gross_minor, $5::bigint
  FROM held AS h CROSS JOIN LATERAL (VALUES ($3::bigint, -1), ($4::bigint, 1)) AS x(product, sign)`;

/** Days of all facts recorded in one run. $3 recorded_seq, $4 members. */
export const TOUCH_RUN = `
  INSERT INTO pg_temp.touch (member_id, day) SELECT DISTINCT f.member_id, x.day FROM facts.fact AS f CROSS JOIN LATERAL (VALUES (f.earned_on), (f.base_on)) AS x(day)
  WHERE f.tenant_id = $1 AND f.program_id = $2 AND f.member_id = ANY($4::bigint[]) AND f.recorded_seq = $3`;

/** Days of all facts over some products on or after a day: what a changed classification may move. $3 products, $4 day. */
export const TOUCH_PRODUCTS = `
  INSERT INTO pg_temp.touch (member_id, day) SELECT DISTINCT f.member_id, x.day FROM facts.fact AS f CROSS JOIN LATERAL (VALUES (f.earned_on), (f.base_on)) AS x(day)
  WHERE f.tenant_id = $1 AND f.program_id = $2 AND f.product_id = ANY($3::bigint[]) AND f.base_on >= $4::date`;

/** Locks everybody named on a document's lines. $3 document. */
export const LOCK_LINE_PARTIES = `
  INSERT INTO platform.member_lock (tenant_id, member_id, taken)
  SELECT DISTINCT $1::bigint, COALESCE(m.merged_into, m.member_id), 1 FROM facts.line AS l
  CROSS JOIN LATERAL (SELECT l.buyer AS reference UNION SELECT l.seller UNION SELECT l.rep UNION SELECT share ->> 'ref' FROM jsonb_array_elements(l.shares) AS share) AS named
  JOIN members.member_key AS k ON k.tenant_id = $1 AND k.program_id = $2 AND k.reference = named.reference
  JOIN members.member AS m ON m.tenant_id = $1 AND m.program_id = $2 AND m.member_id = k.member_id
  WHERE l.tenant_id = $1 AND l.program_id = $2 AND l.document_id = $3 ORDER BY 2 ON CONFLICT (tenant_id, member_id) DO UPDATE SET taken = platform.member_lock.taken + 1`;

/** Locks everybody with facts over some products. $3 products. */
export const LOCK_PRODUCT_MEMBERS = `
  INSERT INTO platform.member_lock (tenant_id, member_id, taken)
  SELECT DISTINCT $1::bigint, f.member_id, 1 FROM facts.fact AS f WHERE f.tenant_id = $1 AND f.program_id = $2 AND f.product_id = ANY($3::bigint[])
  ORDER BY 2 ON CONFLICT (tenant_id, member_id) DO UPDATE SET taken = platform.member_lock.taken + 1`;
