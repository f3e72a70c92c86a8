import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import iconv from 'iconv-lite';
import { XmlDocument, XsdValidator } from 'libxml2-wasm';
import { expect, test } from 'vitest';
import { compactAccount, isAccount } from '../../server/src/modules/rewards/account-number.ts';
import { isPan } from '../../server/src/modules/rewards/cards.ts';
import { encode, plainLetters } from '../../server/src/modules/rewards/files/encode.ts';
import { bankProfileShape, elixirFile, elixirLine, pieces, splitPaymentTitle, type ElixirOrder } from '../../server/src/modules/rewards/files/elixir.ts';
import { painFile, type PainFile } from '../../server/src/modules/rewards/files/pain.ts';
import { readStatusFile, topupFile, topupTemplateShape, type TopupLine } from '../../server/src/modules/rewards/files/topup.ts';

/** domain.md §2 and §3, with their vectors. */
const ORDER: ElixirOrder = { executeOn: '2026-11-24', amount: 12_345n, payerAccount: '61109010140000071219812874', payerName: ['Program Sp. z o.o.', 'ul. Testowa 1', '00-001 Warszawa'], account: '27114020040000300201355387', name: ['Jan Kowalski', 'ul. Polna 2', '60-001 Poznań'], title: ['Nagroda Q4/2026', 'PAYOUT-000001'] };
const profile = (more: object = {}) => bankProfileShape.parse(more);

test('Elixir-0: the line of the published example, byte for byte', () => {
  expect(elixirLine(ORDER, profile())).toBe('110,20261124,12345,10901014,0,"61109010140000071219812874","27114020040000300201355387","Program Sp. z o.o.|ul. Testowa 1|00-001 Warszawa|","Jan Kowalski|ul. Polna 2|60-001 Poznań|",0,11402004,"Nagroda Q4/2026|PAYOUT-000001||","","","51",""');
  const file = elixirFile([ORDER, ORDER], profile());
  expect(iconv.decode(file, 'windows-1250').split('\r\n')).toHaveLength(3);
  expect(file.includes(Buffer.from([0xf1]))).toBe(true); // ń in Windows-1250
});

test('banks differ in encoding, order type, class, the sort code of the beneficiary, letters and forbidden characters', () => {
  expect(elixirLine(ORDER, profile({ order_type: '210', classification: '01', beneficiary_sort_code: 'zero', transliterate: true }))).toMatch(/^210,.*"Jan Kowalski\|ul\. Polna 2\|60-001 Poznan\|",0,0,.*"01",""$/);
  expect(elixirLine(ORDER, profile({ beneficiary_sort_code: 'empty' }))).toContain('|",0,,"Nagroda');
  expect(elixirLine({ ...ORDER, title: ['a"b|c;d'] }, profile({ forbidden: ';' }))).toContain('"a b c d|||"');
  for (const encoding of ['windows-1250', 'iso-8859-2', 'cp852'] as const) expect(iconv.decode(elixirFile([ORDER], profile({ encoding })), encoding)).toContain('Poznań');
  expect(() => elixirFile([{ ...ORDER, name: ['Ωmega'] }], profile())).toThrow(/text_not_encodable/);
  expect(iconv.decode(elixirFile([{ ...ORDER, name: ['Žižek Łódź'] }], profile({ transliterate: true })), 'windows-1250')).toContain('Zizek Lodz');
});

test('four pieces of 35 lose no character, and the fifth is refused', () => {
  const what = { pl: 'x', en: 'x' };
  fc.assert(fc.property(fc.string({ unit: 'grapheme-ascii', minLength: 0, maxLength: 140 }), (text) => {
    const cut = pieces([text], what);
    expect([cut.length, cut.every((piece) => piece.length <= 35), cut.join('')]).toEqual([4, true, text]);
  }), { numRuns: 500 });
  expect(() => pieces(['x'.repeat(141)], what)).toThrow(/text_not_encodable/);
  expect(() => pieces(['a', 'b', 'c', 'd', 'e'], what)).toThrow(/text_not_encodable/);
  expect(pieces(splitPaymentTitle({ vat: '230,00', nip: '5213017228', invoice: 'FV-10-2026-001', text: 'nagroda' }), what).slice(0, 2)).toEqual(['/VAT/230,00/IDC/5213017228/INV/FV-1', '0-2026-001/TXT/nagroda']);
});

const PAIN: PainFile = { messageId: 'PRM1B7', createdAt: new Date('2026-11-22T10:00:00Z'), executeOn: '2026-11-24', payer: { name: 'Łapa sp. z o.o.', account: 'PL61109010140000071219812874', bic: 'WBKPPLPP' },
  orders: [{ amount: 12_345n, currency: 'EUR', account: 'PL27114020040000300201355387', name: 'Józef Żółć', title: 'Nagroda – październik', endToEnd: 'PRM-1-1' }, { amount: 5_000n, currency: 'EUR', account: 'DE89370400440532013000', name: 'Erika', title: 'Prize', endToEnd: 'PRM-1-2' }] };
/** Our own schema of what we send, in the standard's words; PAIN_XSD names a file of the standard's own, where there is one. */
const SCHEMA = readFileSync(process.env['PAIN_XSD'] ?? join(import.meta.dirname, '../support/pain.001.001.09.xsd'));
const faultsOf = (xml: Buffer | string): string[] => {
  const [schema, document] = [XmlDocument.fromBuffer(SCHEMA), XmlDocument.fromBuffer(Buffer.from(xml))];
  const validator = XsdValidator.fromDoc(schema);
  try { validator.validate(document); return []; } catch (error) { return [(error as Error).message]; } finally { validator.dispose(); schema.dispose(); document.dispose(); }
};

test('pain.001.001.09: valid by its schema, count and sum as the vector says, złoty under NURG', () => {
  const euro = painFile(PAIN).toString();
  expect(faultsOf(euro)).toEqual([]);
  expect(euro).toContain('<NbOfTxs>2</NbOfTxs><CtrlSum>173.45</CtrlSum>');
  expect(euro).toContain('<ReqdExctnDt><Dt>2026-11-24</Dt></ReqdExctnDt>');
  expect(euro).toContain('<Nm>Jozef Zolc</Nm>');
  const zloty = painFile({ ...PAIN, orders: PAIN.orders.map((order) => ({ ...order, currency: 'PLN' })) }).toString();
  expect(faultsOf(zloty)).toEqual([]);
  expect(zloty).toContain('<SvcLvl><Cd>NURG</Cd></SvcLvl>');
  expect(zloty).not.toContain('<Cd>SEPA</Cd>');
  // the schema is one that can say no
  expect(faultsOf(euro.replace('<NbOfTxs>2</NbOfTxs>', ''))).toHaveLength(1);
  expect(faultsOf(euro.replace('123.45</InstdAmt>', '123.456</InstdAmt>').replace('Ccy="EUR"', 'Ccy="eur"'))).toHaveLength(1);
});

test('the sum of a large file is the sum of its grosze, not of floats', () => {
  const orders = Array.from({ length: 1_500 }, (_, n) => ({ amount: 10n + BigInt(n % 7), currency: 'PLN', account: 'PL27114020040000300201355387', name: 'X', title: 'Y', endToEnd: `E${n}` }));
  const total = orders.reduce((sum, order) => sum + order.amount, 0n);
  expect(painFile({ ...PAIN, orders }).toString()).toContain(`<CtrlSum>${total / 100n}.${String(total % 100n).padStart(2, '0')}</CtrlSum>`);
});

const LINE: TopupLine = { order_ref: 'TOPUP-2026-11-001', line: 1, participant_ref: 'P-000123', first_name: 'Jan', last_name: 'Kowalski', email: 'jan@example.test', phone: '+48500100200', card_ref: 'PROXY-7788', amount: 25_000n, currency: 'PLN', message: 'Nagroda Q4', cost_centre: 'MKT-01' };
test('a top-up order is the template’s columns under its names, in its order, encoding and separators', () => {
  expect(topupFile([LINE], topupTemplateShape.parse({})).toString()).toBe(`order_ref;line_no;participant_ref;first_name;last_name;email;phone;card_ref;amount;currency;message;cost_centre\r\nTOPUP-2026-11-001;1;P-000123;Jan;Kowalski;jan@example.test;+48500100200;PROXY-7788;250,00;PLN;Nagroda Q4;MKT-01\r\n`);
  const other = topupTemplateShape.parse({ columns: [{ name: 'Karta', field: 'card_ref' }, { name: 'Kwota', field: 'amount' }, { name: 'Imię', field: 'first_name' }], separator: ',', decimal: '.', encoding: 'windows-1250' });
  expect(iconv.decode(topupFile([LINE], other), 'windows-1250')).toBe('Karta,Kwota,Imię\r\nPROXY-7788,250.00,Jan\r\n');
});

test('a status file is read strictly: every fault has its row, and a rejection its reason', () => {
  expect(readStatusFile('order_ref;line_no;status;provider_ref;reason;loaded_at\nT;1;LOADED;X1;;2026-11-22\nT;2;REJECTED;;karta zablokowana;\n')).toEqual([{ order: 'T', line: 1, loaded: true, providerRef: 'X1', reason: '' }, { order: 'T', line: 2, loaded: false, providerRef: '', reason: 'karta zablokowana' }]);
  const places = (text: string): string[] => { try { readStatusFile(text); return []; } catch (error) { return (error as { places: { pointer: string; code: string }[] }).places.map((place) => `${place.pointer} ${place.code}`); } };
  expect(places('order_ref;line_no;status\nT;1;DONE\nT;x;LOADED\nT;1;REJECTED\n')).toEqual(['/2 status_unknown', '/3 line_malformed', '/4 reason_missing', '/4 line_twice']);
  expect(() => readStatusFile('a;b\n1;2\n')).toThrow(/file_malformed.*order_ref/);
  expect(() => readStatusFile('order_ref;line_no;status\n')).toThrow(/file_malformed/);
});

test('accounts and cards: good ones pass, one wrong digit does not, and a printed card number is known for what it is', () => {
  for (const good of ['PL61109010140000071219812874', 'PL27114020040000300201355387', 'DE89370400440532013000', '61 1090 1014 0000 0712 1981 2874']) expect([good, isAccount(good)]).toEqual([good, true]);
  for (const bad of ['PL61109010140000071219812875', '109010150000071219812874', '', 'PL', 'XX61109010140000071219812874']) expect([bad, isAccount(bad)]).toEqual([bad, false]);
  expect(compactAccount('61 1090 1014 0000 0712 1981 2874')).toBe('PL61109010140000071219812874');
  expect([isPan('4111 1111 1111 1111'), isPan('5500005555555559'), isPan('PROXY-7788'), isPan('123456789012'), isPan('4111111111111112')]).toEqual([true, true, false, false, false]);
  expect(plainLetters('Zażółć gęślą jaźń ŁÓDŹ')).toBe('Zazolc gesla jazn LODZ');
  expect(encode('zł', 'utf-8')).toEqual(Buffer.from('zł'));
});
