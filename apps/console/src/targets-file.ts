import { t } from '@premia/ui';

/** „12 500,50” from a spreadsheet is 12500.50. */
export const readNumber = (text: string): string => text.replaceAll(/[\s\u00a0\u202f]/g, '').replace(',', '.');

export type TargetsFile = { values: Record<string, string>; bad: string[] };

/** 2026-11, 2026-11-01, 11.2026 or 11/2026 as the first day of the month; anything else is null. */
function readMonth(text: string): string | null {
  const [, year, month] = /^(\d{4})-(\d{1,2})(?:-01)?$/.exec(text.trim()) ?? [];
  const [, month2, year2] = /^(\d{1,2})[./](\d{4})$/.exec(text.trim()) ?? [];
  const [y, m] = [year ?? year2, Number(month ?? month2)];
  return y === undefined || !(m >= 1 && m <= 12) ? null : `${y}-${String(m).padStart(2, '0')}-01`;
}

/**
 * Targets from a CSV file: codes in the first column and a month in each of the others, or three columns: who, month, value. Answers values by
 * `code/2026-11-01`, and what could not be read, with its line. Empty cells say nothing.
 */
export async function readTargetsFile(text: string): Promise<TargetsFile> {
  const { default: papa } = await import('papaparse');
  const [header = [], ...rows] = papa.parse<string[]>(text.replace(/^\ufeff/, ''), { skipEmptyLines: 'greedy' }).data;
  const months = header.map(readMonth);
  const long = header.length === 3 && months.every((month) => month === null);
  const found: TargetsFile = { values: {}, bad: [] };
  if (!long && months.slice(1).every((month) => month === null)) return { values: {}, bad: [t('W nagłówku nie ma żadnego miesiąca, np. 2026-11.', 'The header names no month, such as 2026-11.')] };
  const take = (line: number, code: string, month: string | null, value: string): void => {
    if (value.trim() === '') return;
    const number = readNumber(value);
    if (code === '' || month === null || !/^\d{1,13}(\.\d{1,3})?$/.test(number)) found.bad.push(t(`wiersz ${line}: ${code || '?'}, ${value}`, `line ${line}: ${code || '?'}, ${value}`));
    else found.values[`${code}/${month}`] = number;
  };
  for (const [index, row] of rows.entries()) {
    const code = (row[0] ?? '').trim();
    if (long) take(index + 2, code, readMonth(row[1] ?? ''), row[2] ?? '');
    else for (const [column, month] of months.entries()) if (column > 0 && month !== null) take(index + 2, code, month, row[column] ?? '');
  }
  return found;
}
