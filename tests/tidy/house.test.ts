import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { EDGES } from '../../tools/edges.ts';

const ROOT = join(import.meta.dirname, '../..');
const files = (folder: string, pattern: RegExp): string[] => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)).filter((name) => pattern.test(name) && !name.includes('node_modules') && statSync(join(ROOT, name)).isFile());
const SOURCES = [...files('packages', /\/src\/.*\.ts$/), ...files('server/src', /\.ts$/)].filter((name) => !name.endsWith('.test.ts'));

function unitOf(path: string): string | null {
  const [first, second, third, fourth] = path.split('/');
  if (first === 'packages') return `packages/${second}`;
  if (first !== 'server' || second !== 'src') return null;
  if (third === 'modules') return `modules/${fourth}`;
  return third === 'platform' || third === 'demo' ? `server/${third}` : null;
}

function importsOf(path: string): { unit: string; door: boolean; from: string }[] {
  const text = readFileSync(join(ROOT, path), 'utf8');
  return [...text.matchAll(/(?:from|import)\s+'([^']+)'/g)].flatMap(([, from = '']) => {
    const own = /^@premia\/(\w+)$/.exec(from)?.[1];
    if (own) return [{ unit: `packages/${own}`, door: true, from }];
    if (!from.startsWith('.')) return [];
    const target = relative(ROOT, resolve(ROOT, dirname(path), from));
    const unit = unitOf(target);
    return unit === null ? [] : [{ unit, door: /(^|\/)index\.ts$/.test(target), from }];
  });
}

test('imports go only where the table of edges says, through doors, and every edge is used', () => {
  const used = new Set<string>();
  for (const path of SOURCES) {
    const unit = unitOf(path);
    if (unit === null) continue;
    for (const { unit: target, door, from } of importsOf(path)) {
      if (target === unit) continue;
      expect(EDGES[unit] ?? [], `${path} imports ${from}`).toContain(target);
      if (target.startsWith('modules/')) expect(door, `${path} goes past the door of ${target}: ${from}`).toBe(true);
      used.add(`${unit} → ${target}`);
    }
  }
  for (const [unit, targets] of Object.entries(EDGES)) for (const target of targets) expect(used, 'an edge nobody uses').toContain(`${unit} → ${target}`);
});

test('the clock, the dice and floats stay out of the engine', () => {
  const banned: [RegExp, string][] = [[/Math\.random\(/, 'dice come in through a seed'], [/parseFloat\(/, 'amounts are never floats'], [/\bas any\b|: any\b/, 'no any']];
  const clock: [RegExp, string] = [/Date\.now\(|new Date\(\)/, 'the clock comes in through context'];
  const clockAllowed = ['server/src/platform/', 'server/src/main.ts', 'server/src/cli.ts'];
  for (const path of SOURCES) {
    const text = readFileSync(join(ROOT, path), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    for (const [pattern, why] of banned) expect(pattern.test(text), `${path}: ${why}`).toBe(false);
    if (!clockAllowed.some((allowed) => path.startsWith(allowed))) expect(clock[0].test(text), `${path}: ${clock[1]}`).toBe(false);
  }
});

test('paths that documents name exist', () => {
  const documents = ['README.md', 'ARCHITECTURE.md', ...files('docs', /\.md$/), ...files('server/src/modules', /README\.md$/)];
  let checked = 0;
  for (const document of documents) {
    const text = readFileSync(join(ROOT, document), 'utf8');
    for (const [, path = ''] of text.matchAll(/`((?:packages|server|tests|tools|docs|bench|examples)\/[\w./-]+)`/g)) {
      checked += 1;
      expect(existsSync(join(ROOT, path)), `${document} names ${path}`).toBe(true);
    }
    for (const [, link = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) expect(existsSync(join(ROOT, dirname(document), link)), `${document} links ${link}`).toBe(true);
  }
  expect(checked).toBeGreaterThan(20);
});

test('every module has a README that says what is not there yet', () => {
  for (const module of readdirSync(join(ROOT, 'server/src/modules'))) expect(readFileSync(join(ROOT, 'server/src/modules', module, 'README.md'), 'utf8')).toContain('**Not yet**');
});

test('no lint exception without its reason, no path of a machine, no secret', () => {
  for (const path of [...SOURCES, ...files('tests', /\.ts$/)]) {
    const text = readFileSync(join(ROOT, path), 'utf8');
    expect(/@ts-ignore|@ts-expect-error/.test(text) && !path.endsWith('house.test.ts'), path).toBe(false);
    expect(/\/work\/|\/root\//.test(text) && !path.endsWith('house.test.ts'), path).toBe(false);
  }
});
