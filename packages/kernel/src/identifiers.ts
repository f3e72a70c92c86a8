/** NIP: ten digits by the tax office's pattern, weights 6 5 7 2 3 4 5 6 7, sum modulo 11 is the last digit (10 is never valid). */
export function isNip(nip: string): boolean {
  if (!/^[1-9]((\d[1-9])|([1-9]\d))\d{7}$/.test(nip)) return false;
  const sum = [6, 5, 7, 2, 3, 4, 5, 6, 7].reduce((total, weight, index) => total + weight * Number(nip[index]), 0);
  return sum % 11 === Number(nip[9]);
}

/** GTIN-8, -12, -13 or -14: the last digit completes the weighted sum (3, 1, 3 … from the right) to a multiple of ten (GS1 General Specifications §7.9). */
export function isGtin(gtin: string): boolean {
  if (!/^(\d{8}|\d{12,14})$/.test(gtin)) return false;
  const sum = [...gtin].reverse().reduce((total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 3), 0);
  return sum % 10 === 0;
}
