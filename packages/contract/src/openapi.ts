import { z } from 'zod';
import { problem, type Route } from './route.ts';

const schemaOf = (shape: z.ZodType, io: 'input' | 'output'): unknown => {
  const { $schema: _, ...schema } = z.toJSONSchema(shape, { io, unrepresentable: 'any' }) as Record<string, unknown>;
  return schema;
};

function parametersOf(shape: z.ZodType | undefined, where: 'path' | 'query'): unknown[] {
  if (!shape) return [];
  const { properties = {}, required = [] } = schemaOf(shape, 'input') as { properties?: Record<string, unknown>; required?: string[] };
  return Object.entries(properties).map(([name, schema]) => ({ name, in: where, required: where === 'path' || required.includes(name), schema }));
}

/** The whole API as OpenAPI 3.1, printed from the routes. */
export function openapi(routes: Record<string, Route>): unknown {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of Object.values(routes)) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    const answer = { description: 'A problem (RFC 9457)', content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } };
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: {
      operationId: route.name, summary: route.summary, security: route.permission === 'public' ? [] : ['person', 'self', 'company:read'].includes(route.permission) ? [{ session: [] }] : [{ key: [] }, { session: [] }], 'x-permission': route.permission, 'x-refusals': route.refusals,
      parameters: [...parametersOf(route.params, 'path'), ...parametersOf(route.query, 'query'), ...(route.idempotent ? [{ name: 'Idempotency-Key', in: 'header', required: true, schema: { type: 'string', minLength: 1, maxLength: 200 } }] : [])],
      ...(route.upload ? { requestBody: { required: true, content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } } }
        : route.body ? { requestBody: { required: !route.body.isOptional(), content: { 'application/json': { schema: schemaOf(route.body, 'input') } } } } : {}),
      responses: { 200: { description: 'Done', content: { [route.download?.split(';')[0] ?? 'application/json']: { schema: schemaOf(route.reply, 'output') } } }, ...Object.fromEntries([400, 401, 403, 404, 409, 413, 415, 422, 429, 503].map((status) => [status, answer])) },
    } };
  }
  return { openapi: '3.1.0', info: { title: 'Premia', version: '0.1.0', description: 'B2B loyalty and sales-incentive programs: facts, entitlements, ledger.' },
    paths, components: { schemas: { Problem: schemaOf(problem, 'output') }, securitySchemes: { key: { type: 'http', scheme: 'bearer' }, session: { type: 'apiKey', in: 'cookie', name: 'premia.session_token' } } } };
}
