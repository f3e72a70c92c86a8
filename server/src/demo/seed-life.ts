import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { addDays, dayAt, type Day } from '@premia/kernel';
import type { Context } from '../platform/context.ts';
import { row, rows } from '../platform/database.ts';
import { proposeChange, recordEmployerWord, recordInput, recordSales } from '../modules/entitlements/index.ts';
import { stageImport, type LineDraft } from '../modules/facts/index.ts';
import { ledgerHandlers } from '../modules/ledger/index.ts';
import { findMember, findProgram, openInquiry, register, saveCompanies, sayMore } from '../modules/members/index.ts';

const DONE = 'demo.life';

/** Who employs the program's reps: three have agreed to it, the fourth is still to be asked. */
const EMPLOYERS = [
  { code: 'GRUPA-ZOO', name: 'Grupa Zoologiczna S.A.', vat: '9991000105', type: 'distributor' }, { code: 'HURT-POLNOC', name: 'Hurtownia Zoologiczna Północ sp. z o.o.', vat: '9991000217', type: 'distributor', parent: 'GRUPA-ZOO' },
  { code: 'HURT-POLUDNIE', name: 'Hurtownia Zoologiczna Południe sp. z o.o.', vat: '9991000329', type: 'distributor', parent: 'GRUPA-ZOO' }, { code: 'EXPRESS', name: 'Karma Express sp. j.', vat: '9991000430', type: 'distributor' },
];
async function employ(operator: Context, today: Day): Promise<void> {
  const reps = await operator.transaction((tx) => rows<{ code: string; role: string; territory: string | null; team: string | null }>(tx, sql`SELECT m.code, a.role, a.territory, a.team FROM members.assignment AS a JOIN members.member AS m ON m.tenant_id = a.tenant_id AND m.program_id = a.program_id AND m.member_id = a.member_id WHERE m.kind = 'person' AND a.valid_to = 'infinity' ORDER BY m.code`));
  await operator.transaction((tx) => saveCompanies(tx, operator.tenantId, EMPLOYERS));
  const employerOf = (n: number): string => (EMPLOYERS[n < reps.length * 0.4 ? 1 : n < reps.length * 0.8 ? 2 : n < reps.length * 0.9 ? 0 : 3] as { code: string }).code;
  for (const { code } of EMPLOYERS.slice(0, 3)) await recordEmployerWord(operator, null, { company: code, given: true, given_by: 'Zarząd', scope: 'Program Łapa: udział przedstawicieli i nagrody', document: `Aneks nr 3, ${code}`, valid_from: addDays(today, -30) });
  await recordInput(operator, { kind: 'members', program: 'lapa', members: reps.map(({ code, role, territory, team }, n) => ({ code, kind: 'person', company: employerOf(n), role, from: today, ...(territory === null ? {} : { territory }), ...(team === null ? {} : { team }) })) });
}

/** What a working day finds on the desk: a file to approve with rows set aside, a document that came changed, a correction ahead of its invoice, an unknown product, questions, and two things that wait for a second person. */
export async function seedLife(context: Context, given: { url: string; operator: string }): Promise<void> {
  if ((await context.transaction((tx) => rows(tx, sql`SELECT 1 FROM identity.audit WHERE action = ${DONE} LIMIT 1`))).length > 0) return;
  const operator: Context = { ...context, principal: `person:${given.operator}` };
  const today = dayAt(context.now(), 'Europe/Warsaw');
  const known = await context.transaction((tx) => row<{ number: string; occurred_on: Day; buyer: string; rep: string; net: bigint }>(tx, sql`SELECT d.number, d.occurred_on, l.buyer, l.rep, l.net_minor AS net FROM facts.document AS d JOIN facts.line AS l ON l.tenant_id = d.tenant_id AND l.program_id = d.program_id AND l.document_id = d.document_id WHERE d.kind = 'sale' AND d.number LIKE 'FV/%/S0001/%' ORDER BY d.occurred_on DESC, l.line_key LIMIT 1`));
  if (!known) return;
  await employ(operator, today);
  const line = (number: string, more: Partial<LineDraft>): LineDraft => ({ number, kind: 'sale', occurredOn: addDays(today, -1), occurredAt: null, hour: null, baseNumber: null, baseLine: null, lineNo: '1', productCode: 'KAR-PIES-10', productName: null, quantityMilli: 1_000n, netMinor: 11_490n, grossMinor: null, currency: 'PLN', original: null, buyer: 'code:S0002', seller: null, rep: 'code:R002', shares: null, channel: null, attributes: null, ...more });
  await recordSales(context, { program: 'lapa', source: 'distributor', lines: [line('FV/NOWE/1', { productCode: 'KAR-SENIOR-5', netMinor: 8_990n }), line('KOR/17/2026', { kind: 'correction', baseNumber: 'FV/ZAGUBIONA/17', netMinor: -4_290n, quantityMilli: -1_000n })] });
  await recordSales(context, { program: 'lapa', source: 'distributor', lines: [line(known.number, { occurredOn: known.occurred_on, buyer: known.buyer, rep: known.rep, netMinor: known.net + 2_000n })] });
  await stageFile(operator, given.url, today);
  await register(context, await context.transaction((tx) => findProgram(tx, 'lapa')), { email: 'zofia@sklep.example', name: 'Zofia Malinowska', reference: 'S0007', locale: 'pl' });
  await context.transaction(async (tx) => {
    const program = await findProgram(tx, 'lapa');
    const ask = async (code: string, subject: string, body: string, document?: string): Promise<bigint> => openInquiry(tx, context, program, { memberId: (await findMember(tx, program, code)).memberId, subject, body, document });
    await ask('S0001', known.number, 'Na fakturze jest jeszcze jedna pozycja, a punkty są tylko za pierwszą.', known.number);
    await ask('R014', 'Cel na ten miesiąc', 'Od zeszłego tygodnia mam nowy rejon. Czy mój cel się zmieni?');
    await sayMore(tx, operator, program, await ask('R001', 'Kiedy będą punkty za cel?', 'Przekroczyłam 100 %, a punkty nadal czekają.'), { fromMember: false, body: 'Punkty za cel miesięczny są dostępne 14 dni po naliczeniu; na Starcie widać datę. Brawo za wynik.' });
  });
  await ledgerHandlers.proposeAdjustment(operator, { params: { program: 'lapa', member: 'S0005' }, query: {}, upload: null, body: { unit: 'points', amount: '150', kind: 'adjustment', reason: 'Targi: punkty obiecane na stoisku 12 października' } });
  await proposeChange(operator, { change: { kind: 'recredit', program: 'lapa', source: 'distributor', document: known.number, role: 'rep', member: 'R002' }, reason: 'Zastępstwo: sklep obsłużył inny przedstawiciel' });
  await context.transaction((tx) => sql`INSERT INTO identity.audit (tenant_id, at, principal, action, subject) VALUES (${context.tenantId}, ${new Date(context.now()).toISOString()}, ${context.principal}, ${DONE}, 'program:lapa')`.execute(tx));
}

/** A distributor's file of yesterday, with a day that does not exist and an amount that is none. */
async function stageFile(operator: Context, url: string, today: Day): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'premia-demo-'));
  try {
    const path = join(folder, 'dystrybutor.csv');
    const good = Array.from({ length: 14 }, (_, n) => `FV/PLIK/${n + 1};1;${addDays(today, -1)};S${String(n + 3).padStart(4, '0')};R${String((n % 9) + 1).padStart(3, '0')};KAR-KOT-10;${(n % 4) + 1};${((n % 4) + 1) * 129},90`);
    writeFileSync(path, ['Faktura;Lp;Data;Sklep;Handlowiec;Indeks;Ilość;Netto', ...good, `FV/PLIK/98;1;2026-02-30;S0011;R002;KAR-PIES-03;2;85,80`, `FV/PLIK/99;1;${addDays(today, -1)};S0012;R003;ZAB-PILKA-1;3;dwadzieścia`].join('\n'));
    await stageImport(operator, url, { program: 'lapa', source: 'distributor', parts: [{ path, name: `dystrybutor-${addDays(today, -1)}.csv` }] });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
