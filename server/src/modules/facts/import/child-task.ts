import type { Day, Rounding } from '@premia/kernel';
import type { Mapping } from '../source-settings.ts';
import type { FileSample } from './parse-file.ts';
import type { ReadRules } from './read-row.ts';

/** What the parsing process is told, and what it answers about the file as a whole. */
export type ChildTask = {
  path: string; name: string; part: number; tenantId: string; programId: string; importId: string; mapping: Mapping | null; zone: string; earliest: Day; latest: Day;
  currency: string | null; programCurrency: string; currencyScale: number; rounding: Rounding; codes: ReadRules['codes'];
};
/** How one file of an import was read: what a row set aside needs to be read again. */
export type FileReading = { part: number; name: string; headers: string[]; delimiter: string; mapping: Mapping };
/** Only a look at the first rows, before anybody has said which column is what. */
export type SampleTask = { path: string; name: string; sample: number; saved: Pick<Mapping, 'encoding' | 'delimiter' | 'sheet'> };
export type SampleReport = ({ ok: true } & FileSample) | { ok: false; code: string; pl: string; en: string };
export type ChildReport = { ok: true; rows: number; bad: number; mapping: Mapping; headers: string[]; delimiter: string } | { ok: false; code: string; pl: string; en: string };

export const COPY_COLUMNS = ['tenant_id', 'program_id', 'import_id', 'part', 'row_no', 'raw', 'problem', 'number', 'kind', 'occurred_on', 'occurred_at', 'hour', 'base_number', 'base_line_key', 'line_no',
  'content_hash', 'product_code', 'product_name', 'quantity_milli', 'net_minor', 'gross_minor', 'currency', 'buyer', 'seller', 'rep', 'shares', 'channel', 'attributes'] as const;
