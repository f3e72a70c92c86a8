import { z } from 'zod';

/** A route is data: validation, OpenAPI, permissions and tests read the same object. */
export type Route = {
  name: string;
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  summary: string;
  permission: string;
  /** Whether the caller must send an Idempotency-Key: it moves value or records facts. */
  idempotent?: boolean;
  /** The body is a file, streamed. */
  upload?: boolean;
  /** The answer is a file of this type, streamed; its handler yields text. */
  download?: string;
  params?: z.ZodType;
  query?: z.ZodType;
  body?: z.ZodType;
  reply: z.ZodType;
  refusals: readonly string[];
};
export const route = <T extends Route>(given: T): T => given;

export const key = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/).meta({ description: 'A key: lower case letters, digits, . _ -' });
/** Amounts travel as decimal text: never a float. */
export const amount = z.string().regex(/^-?\d{1,16}(\.\d{1,6})?$/).meta({ description: 'A decimal as text' });
export const day = z.iso.date();
export const program = z.strictObject({ program: key });
export const memberReference = z.string().min(1).max(200).meta({ description: 'code:…, nip:…, email:… or a bare code' });
export const cursor = z.strictObject({ limit: z.coerce.number().int().min(1).max(200).default(50), after: z.string().max(300).optional() });
/** Text to look for; which columns it looks into, the list says. */
export const searched = { search: z.string().min(1).max(100).optional() };
/** By which column, and with a minus from its end. */
export const sorted = (columns: readonly string[]) => z.enum(columns.flatMap((column) => [column, `-${column}`]) as [string, ...string[]]).optional();
export const problem = z.object({ type: z.string(), title: z.string(), status: z.number(), detail: z.string().optional(), code: z.string(), instance: z.string().optional(), errors: z.array(z.object({ pointer: z.string(), code: z.string(), message: z.string() })).optional() });
