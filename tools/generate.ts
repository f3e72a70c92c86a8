import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { peopleRoutes, routes, type Route } from '@premia/contract';
import { z } from 'zod';
import { programSchema } from '../server/src/modules/mechanics/index.ts';

/* What is printed from the contract and the grammar: the client's types and methods, and the JSON Schema of a program's file. `npm run generate` writes them; a test holds the files to this. */
const ROOT = join(import.meta.dirname, '..');
type Schema = { type?: string | string[]; properties?: Record<string, Schema>; required?: string[]; items?: Schema; anyOf?: Schema[]; oneOf?: Schema[]; enum?: unknown[]; const?: unknown; additionalProperties?: Schema | boolean };

/** A JSON Schema as a TypeScript type. Lengths and patterns are the server's to check. */
function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const any = schema.anyOf ?? schema.oneOf;
  if (any) return any.map((item) => { const text = typeOf(item); return text.includes(' | ') ? `(${text})` : text; }).join(' | ');
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeOf({ ...schema, type })).join(' | ');
  switch (schema.type) {
    case 'string': return 'string';
    case 'integer': case 'number': return 'number';
    case 'boolean': return 'boolean';
    case 'null': return 'null';
    case 'array': { const item = typeOf(schema.items ?? {}); return item.includes(' | ') ? `(${item})[]` : `${item}[]`; }
    case 'object': {
      const entries = Object.entries(schema.properties ?? {});
      if (entries.length === 0) return typeof schema.additionalProperties === 'object' ? `Record<string, ${typeOf(schema.additionalProperties)}>` : 'Record<string, never>';
      return `{ ${entries.map(([name, value]) => `${/^\w+$/.test(name) ? name : JSON.stringify(name)}${schema.required?.includes(name) ? '' : '?'}: ${typeOf(value)}${schema.required?.includes(name) ? '' : ' | undefined'}`).join('; ')} }`;
    }
    default: return 'unknown';
  }
}

const shown = (shape: z.ZodType, io: 'input' | 'output'): string => typeOf(z.toJSONSchema(shape, { io, unrepresentable: 'any' }) as Schema);
const optional = (shape: z.ZodType): boolean => shape.safeParse(undefined).success || shape.safeParse({}).success;

function inputOf(route: Route): string {
  const parts = [
    ...(route.params ? [`params: ${shown(route.params, 'input')}`] : []),
    ...(route.query ? [`query${optional(route.query) ? '?' : ''}: ${shown(route.query, 'input')}${optional(route.query) ? ' | undefined' : ''}`] : []),
    ...(route.body ? [`body${optional(route.body) ? '?' : ''}: ${shown(route.body instanceof z.ZodOptional ? route.body.unwrap() as z.ZodType : route.body, 'input')}${optional(route.body) ? ' | undefined' : ''}`] : []),
    ...(route.upload ? ['file: FileBody'] : []), ...(route.idempotent ? ['idempotencyKey?: string | undefined'] : []),
  ];
  return parts.length === 0 ? '' : `input${parts.every((part) => /^\w+\?:/.test(part)) ? ': ' : ': '}{ ${parts.join('; ')} }${parts.every((part) => /^\w+\?:/.test(part)) ? ' = {}' : ''}`;
}

function methodOf(route: Route): string {
  const operation = `{ method: '${route.method}', path: '${route.path}', idempotent: ${route.idempotent ?? false}, upload: ${route.upload ?? false}, download: ${route.download !== undefined} }`;
  const input = inputOf(route);
  return `    /** ${route.summary}. Needs \`${route.permission}\`.${route.refusals.length > 0 ? ` May refuse: ${route.refusals.join(', ')}.` : ''} */\n    ${route.name}: (${input}): Promise<${shown(route.reply, 'output')}> => send(options, ${operation}, ${input === '' ? '{}' : 'input as Input'}) as never,`;
}

export const GENERATED: Record<string, () => string> = {
  'packages/sdk/src/client.ts': () => `// Printed from packages/contract by \`npm run generate\`. Change the contract, not this file.\nimport { send, type ClientOptions, type FileBody, type Input } from './transport.ts';\n\n/** A client of one installation, acting with one API key. */\nexport function createClient(options: ClientOptions) {\n  return {\n${(Object.values(routes) as Route[]).map(methodOf).join('\n')}\n  };\n}\nexport type Client = ReturnType<typeof createClient>;\n`,
  'packages/ui/src/client.ts': () => `// Printed from packages/contract by \`npm run generate\`. Change the contract, not this file.\nimport { send, type ClientOptions, type FileBody, type Input } from '@premia/sdk/transport';\n\n/** Everything a signed-in person's screens call. */\nexport function createClient(options: ClientOptions) {\n  return {\n${(Object.values({ ...routes, ...peopleRoutes }) as Route[]).map(methodOf).join('\n')}\n  };\n}\nexport type Client = ReturnType<typeof createClient>;\n`,
  'docs/program.schema.json': () => `${JSON.stringify(programSchema(), null, 1)}\n`,
};

if (process.argv[1] === import.meta.filename) {
  for (const [path, print] of Object.entries(GENERATED)) {
    const text = print();
    const same = (() => { try { return readFileSync(join(ROOT, path), 'utf8') === text; } catch { return false; } })();
    if (!same) { writeFileSync(join(ROOT, path), text); process.stderr.write(`written: ${path}\n`); }
  }
}
