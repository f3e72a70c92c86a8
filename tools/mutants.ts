import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/*
 * Proof that the oracle can fail: one-line defects of the compiler, each put into a copy of the tree, each of which the oracle must
 * catch. `npm run -s mutants` prints a table and fails when one survives.
 */
type Mutant = { name: string; file: string; find: string; put: string };
const TO_SQL = 'packages/algebra/src/to-sql.ts';
const CURVE = 'packages/algebra/src/curve-to-sql.ts';
const CONDITION = 'packages/algebra/src/condition-to-sql.ts';
const QUERIES = 'server/src/modules/entitlements/queries.ts';
const MUTANTS: Mutant[] = [
  { name: 'joining on the first day does not count', file: TO_SQL, find: 'f.base_on >= member.counts_from', put: 'f.base_on > member.counts_from' },
  { name: 'the lowest step reached instead of the highest', file: CURVE, find: '}).toReversed();\n      return { n: `(CASE WHEN ${x.n} IS NULL', put: '});\n      return { n: `(CASE WHEN ${x.n} IS NULL' },
  { name: 'bands not reached take away', file: CURVE, find: '* GREATEST(${reached} - ${at(low)}, 0)`', put: '* (${reached} - ${at(low)})`' },
  { name: 'any means all', file: CONDITION, find: "join(' OR ')", put: "join(' AND ')" },
  { name: 'at least means more than', file: CONDITION, find: "names, '>=')", put: "names, '>')" },
  { name: 'not is forgotten', file: CONDITION, find: '`(NOT ${conditionToSql', put: '`(${conditionToSql' },
  { name: 'a missing amount counts', file: CONDITION, find: "names, '<')}, FALSE)", put: "names, '<')}, TRUE)" },
  { name: 'trained on the same day is too late', file: CONDITION, find: 'act.earned_on <= ${on}', put: 'act.earned_on < ${on}' },
  { name: 'a code of an activity is not asked', file: CONDITION, find: "` AND act.attributes ->> 'code' = ${literal(code)}`", put: "''" },
  { name: 'every rounding is down', file: CURVE, find: '${literal(input.rounding)}', put: "'down'" },
  { name: 'a returned thing still counts', file: TO_SQL, find: 'HAVING platform.sum8(f.net_minor) > 0 OR', put: 'HAVING platform.sum8(f.net_minor) >= 0 OR' },
  { name: 'only the longest run is cut into streaks', file: TO_SQL, find: '`sum(length / ${leaf.each})::bigint`', put: '`(max(length) / ${leaf.each})::bigint`' },
  { name: 'valid a day too long', file: TO_SQL, find: "+ interval '${length}')::date - 1)`;\n}\n\n/** What a set", put: "+ interval '${length}')::date)`;\n}\n\n/** What a set" },
  { name: 'pro rata forgets a day', file: TO_SQL, find: 'd: `(${end} + 1 - k.w)::numeric`', put: 'd: `(${end} - k.w)::numeric`' },
  { name: 'the roles of a sale share its amount', file: TO_SQL, find: 'PARTITION BY f.member_id, f.role, f.base_${grain}_id', put: 'PARTITION BY f.member_id, f.base_${grain}_id' },
  { name: 'a gate is open', file: TO_SQL, find: "`WHEN NOT (${gate}) THEN 'gate:${index}'`", put: "`WHEN (${gate}) IS NULL THEN 'gate:${index}'`" },
  { name: 'nothing is the least of nothing', file: TO_SQL, find: 'return signed && perThing(mechanic.window) ? null : 0;', put: 'return null;' },
  { name: 'windows that compare with touched ones are not touched', file: TO_SQL, find: '...shifts.map((shift) => `((${start} + ${shift.interval})::date)`)', put: '' },
  { name: 'what vanished stays granted', file: QUERIES, find: 'WHERE c.mechanic_id IS NULL OR e.mechanic_id IS NULL\n    OR (c.uncapped, c.version_id', put: 'WHERE e.mechanic_id IS NULL\n    OR (c.uncapped, c.version_id' },
];

const ROOT = join(import.meta.dirname, '..');

function copyTree(): string {
  const copy = mkdtempSync(join(tmpdir(), 'premia-mutant-'));
  for (const part of ['packages', 'server', 'tests', 'tools', 'examples', 'vitest.config.ts', 'package.json', 'tsconfig.json']) cpSync(join(ROOT, part), join(copy, part), { recursive: true, filter: (path) => !path.includes('node_modules') });
  mkdirSync(join(copy, 'node_modules', '@premia'), { recursive: true });
  for (const entry of readdirSync(join(ROOT, 'node_modules'))) if (entry !== '@premia') symlinkSync(join(ROOT, 'node_modules', entry), join(copy, 'node_modules', entry));
  for (const name of ['kernel', 'algebra', 'contract', 'sdk']) symlinkSync(join(copy, 'packages', name), join(copy, 'node_modules', '@premia', name));
  return copy;
}

/** Whether the oracle fails in the copy; its last words when it does. */
function oracleFails(copy: string): { failed: boolean; by: string } {
  const done = spawnSync(process.execPath, [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--root', copy, '--project', 'full', '--bail', '1', 'tests/oracle'], { cwd: copy, encoding: 'utf8', env: { ...process.env, ORACLE_PROGRAMS: process.env['MUTANT_PROGRAMS'] ?? '30', NO_COLOR: '1' } });
  const by = /× (.*)/.exec(done.stdout)?.[1] ?? '';
  return { failed: done.status !== 0, by };
}

let survived = 0;
for (const mutant of MUTANTS) {
  const copy = copyTree();
  try {
    const path = join(copy, mutant.file);
    const text = readFileSync(path, 'utf8');
    if (text.split(mutant.find).length !== 2) throw new Error(`mutant “${mutant.name}” does not fit ${mutant.file} exactly once`);
    writeFileSync(path, text.replace(mutant.find, () => mutant.put));
    const { failed, by } = oracleFails(copy);
    // A run that fails before a test does proves nothing: a broken migration once “caught” them all.
    if (failed && by === '') throw new Error(`the tests did not run under mutant “${mutant.name}”`);
    if (!failed) survived += 1;
    process.stdout.write(`${failed ? 'caught  ' : 'SURVIVED'}  ${mutant.name}${failed ? `  (${by})` : ''}\n`);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
process.stdout.write(`${MUTANTS.length - survived} of ${MUTANTS.length} mutants caught\n`);
process.exitCode = survived === 0 ? 0 : 1;
