import { isValidIBAN } from 'ibantools';

/** Spaces gone; 26 digits are a Polish account. */
export const compactAccount = (text: string): string => { const compact = text.replace(/[\s-]/g, '').toUpperCase(); return /^\d{26}$/.test(compact) ? `PL${compact}` : compact; };

/** A Polish sort code: eight digits, the last of them 10 − Σ(3 9 7 1 3 9 7) mod 10. */
const isSortCode = (code: string): boolean => (10 - ([3, 9, 7, 1, 3, 9, 7].reduce((sum, weight, index) => sum + weight * Number(code[index]), 0) % 10)) % 10 === Number(code[7]);
/** An IBAN (ISO 13616) or NRB; for Poland the sort code is checked too. */
export function isAccount(text: string): boolean {
  const compact = compactAccount(text);
  return isValidIBAN(compact) && (!compact.startsWith('PL') || isSortCode(compact.slice(4, 12)));
}
