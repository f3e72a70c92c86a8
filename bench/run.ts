import { existsSync } from 'node:fs';
import { join } from 'node:path';

/* `npm run -s bench -- [name] [--json]`: one JSON object on stdout with --json, progress on stderr. */
const [name = 'settle', ...flags] = process.argv.slice(2);
const file = join(import.meta.dirname, `${name}.ts`);
if (!/^[a-z-]+$/.test(name) || name === 'run' || !existsSync(file)) {
  process.stderr.write(`There is no benchmark “${name}”.\n`);
  process.exit(2);
}
const { run } = await import(file) as { run(): Promise<Record<string, unknown>> };
const result = await run();
process.stdout.write(flags.includes('--json') ? `${JSON.stringify(result)}\n` : `${Object.entries(result).map(([key, value]) => `${key.padEnd(28)} ${String(value)}`).join('\n')}\n`);
