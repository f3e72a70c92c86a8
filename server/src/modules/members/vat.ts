import { stdnum } from 'stdnum';
import { isNip } from '@premia/kernel';

/** Which number of each member state is its VAT number, as the library names it. Greece writes EL, not GR. */
const EU: Record<string, string> = {
  AT: 'uid', BE: 'vat', BG: 'vat', CY: 'vat', CZ: 'dic', DE: 'vat', DK: 'cvr', EE: 'kmkr', EL: 'vat', ES: 'nif', FI: 'alv', FR: 'tva', HR: 'oib', HU: 'anum', IE: 'vat', IT: 'iva', LT: 'pvm', LU: 'tva', LV: 'pvn',
  MT: 'vat', NL: 'btw', PT: 'nif', RO: 'cif', SE: 'vat', SI: 'ddv', SK: 'dph',
};

/**
 * An EU VAT number with its country's letters, without what people put between the digits – or null where its check digits are wrong.
 * Ten digits alone are a Polish NIP. The library takes 0000000000 for a NIP, so Poland is held to the tax office's own pattern.
 */
export function normalizeVat(given: string): string | null {
  const text = given.toUpperCase().replace(/[\s\u00a0.-]/g, '');
  const [, country = 'PL', number = ''] = /^([A-Z]{2})?([0-9A-Z+*]+)$/.exec(text) ?? [];
  if (country === 'PL') return isNip(number) ? `PL${number}` : null;
  const name = EU[country];
  const found = name === undefined ? undefined : stdnum[country === 'EL' ? 'GR' : country]?.[name]?.validate(number);
  return found?.isValid === true ? `${country}${number}` : null;
}
