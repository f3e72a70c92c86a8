/**
 * A cell that a spreadsheet would take for a formula is made text with an apostrophe, unless it is a plain number or telephone number (OWASP ASVS 5,
 * 1.2.10); then quoted where it needs quotes.
 */
export function csvCell(value: string, delimiter = ','): string {
  const safe = /^[=+\-@\t\r\0]/.test(value) && !/^[+-]?\d+(\.\d+)?$/.test(value) ? `'${value}` : value;
  return /["\r\n]/.test(safe) || safe.includes(delimiter) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** One row, with its line end. */
export const csvRow = (values: readonly unknown[], delimiter = ','): string => `${values.map((value) => csvCell(value === null || value === undefined ? '' : String(value), delimiter)).join(delimiter)}\r\n`;
