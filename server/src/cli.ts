import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { parse as parseCsv } from 'csv-parse/sync';
import { parse as parseYaml, stringify as toYaml } from 'yaml';
import { Refusal, formatMinor, must, parseMinor, type Locale } from '@premia/kernel';
import { openInstallation } from './compose.ts';
import { seedDemo } from './demo/seed-demo.ts';
import { backUp, headsMissing, restore } from './platform/backup.ts';
import { makeContext, today, type Context } from './platform/context.ts';
import { csvCell } from './platform/csv.ts';
import { makeMailer } from './platform/mail.ts';
import { applyProgram, approveImport, approveRecalculation, closePeriod, explain, nextSteps, previewAwards, proposeRecalculation, recordImport, recordMemberActivities, recordInput, recordMembers, recordTargets, refreshSegments, settleStale, simulate, type Preview } from './modules/entitlements/index.ts';
import { REASONS, mappingShape, readQuarantine, saveRates, stageImport, type ActivityDraft } from './modules/facts/index.ts';
import { STAFF_ROLES, createTenant, invite, listTenants, type Role } from './modules/identity/index.ts';
import { readBalances, readLiability, readStatement } from './modules/ledger/index.ts';
import { findMember, findProgram, listPrograms, saveCompanies, type CompanyDraft, type MemberDraft } from './modules/members/index.ts';
import { exportProgram, parseProgram, planProgram, programSchema, type TargetDraft } from './modules/mechanics/index.ts';
import { assertVault } from './modules/rewards/index.ts';
import { verifyAll, verifyAndKeep } from './verify.ts';

/*
 * The command line: the same use cases as the API, on the same database. Results go to stdout (with --json as one documented
 * object), progress and problems to stderr. Exit: 0 done, 1 the answer is "no" (differences, conflicts), 2 wrong use, 3 refused.
 */
const HELP = `premia – facts, entitlements, ledger

  program plan FILE            what applying the file would change
  program apply FILE           publish a program (YAML or JSON)
  program export --program P   the program as the file that makes it
  program schema               the JSON Schema of a program's file
  import FILE… --program P --source S [--mapping FILE] [--approve] [--preview]
  import approve N --program P
  members import FILE          CSV: code,kind,name,email,nip,from,company_type,company,role,territory,team and member.… attributes
  members state STATE --member M --from DAY [--reason R]   invited, active, suspended or left, from a day on
  companies import FILE        CSV: code,name,vat,type,parent and ext.… columns for the codes others use
  rates import FILE            CSV: currency,day,rate,origin
  segments refresh --program P compute who belongs to segments today
  targets import FILE          CSV: target,subject,window_start,value[,reason]; value in whole units
  activities import FILE --source S   CSV: reference,member,kind,occurred_on[,quantity,amount] and attribute columns
  balances --program P [--unit U] [--csv] [--as-of DAY]
  statement --program P --member M
  liability --program P [--as-of DAY]   what the program owes in units, by month of expiry
  explain --member M [--document D | --mechanic K] [--on DAY] --program P
  next-step --member M [--on DAY] --program P
  simulate FILE                what a program's file would have given over the recorded facts; nothing is posted
  recalculate propose FILE --reason R | recalculate approve N --program P
  period close --from DAY --to DAY --program P
  person invite --email E --name N --role R [--program P]   prints the link to join; R: owner, operator, approver, support, viewer
  demo [--anchor DAY]          make the demo program where there is none
  verify --program P           recompute everything; 0 differences or exit 1
  backup FOLDER                everything as it is now, beside whatever goes on; holds personal data, not the data secret
  restore FOLDER               fill a new, empty installation from a backup, and verify every program of it

Everywhere: --json, --tenant T (default: main), --as NAME (default: installation), --locale pl|en, --data-dir DIR`;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true, strict: false,
  options: {
    json: { type: 'boolean' }, csv: { type: 'boolean' }, approve: { type: 'boolean' }, preview: { type: 'boolean' }, help: { type: 'boolean' }, program: { type: 'string' }, source: { type: 'string' },
    mapping: { type: 'string' }, unit: { type: 'string' }, member: { type: 'string' }, tenant: { type: 'string' }, as: { type: 'string' }, locale: { type: 'string' }, 'as-of': { type: 'string' }, document: { type: 'string' }, mechanic: { type: 'string' }, on: { type: 'string' }, reason: { type: 'string' }, from: { type: 'string' }, to: { type: 'string' }, anchor: { type: 'string' }, 'data-dir': { type: 'string' }, email: { type: 'string' }, name: { type: 'string' }, role: { type: 'string' },
  },
});

const text = (name: string): string | undefined => (typeof flags[name] === 'string' ? flags[name] : undefined);
const locale: Locale = text('locale') === 'pl' ? 'pl' : 'en';
const say = (line: string): void => { process.stderr.write(`${line}\n`); };
const print = (value: unknown, human: string): void => {
  process.stdout.write(flags['json'] ? `${JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? String(item) : item))}\n` : human === '' ? '' : `${human}\n`);
};

class Usage extends Error {}
function need(name: string): string {
  const value = text(name);
  if (value === undefined) throw new Usage(`--${name} is missing`);
  return value;
}

type Command = (context: Context, url: string, args: string[]) => Promise<number>;

const commands: Record<string, Command> = {
  'person invite': async (context) => {
    const role = need('role') as Role;
    if (!STAFF_ROLES.includes(role)) throw new Usage(`--role is one of ${STAFF_ROLES.join(', ')}`);
    const publicUrl = (process.env['PUBLIC_URL'] ?? `http://localhost:${process.env['PORT'] ?? 3_000}`).replace(/\/$/, '');
    const made = await invite(context, { mailer: makeMailer(process.env['SMTP_URL'], process.env['MAIL_FROM'] ?? 'premia@localhost'), publicUrl }, { email: need('email'), name: need('name'), role, program: text('program'), locale: text('locale') === 'en' ? 'en' : 'pl' });
    print({ code: made.code, link: made.link }, `Open ${made.link} to join. The invitation is good for 14 days and works once.`);
    return 0;
  },
  'program plan': async (context, _url, [file]) => {
    const plan = await context.transaction((tx) => planProgram(tx, readProgramFile(file)));
    print(planView(plan), describePlan(plan));
    return 0;
  },
  'program apply': async (context, _url, [file]) => {
    const plan = await applyProgram(context, readProgramFile(file));
    print(planView(plan), describePlan(plan));
    return 0;
  },
  'program export': async (context) => {
    const exported = await context.transaction((tx) => exportProgram(tx, need('program')));
    print(exported, toYaml(exported));
    return 0;
  },
  'import': importFiles,
  'import approve': async (context, _url, [id]) => {
    await approveImport(context, { program: need('program'), importId: BigInt(must(id, 'the import’s number')) });
    const result = await recordImport(context, { program: need('program'), importId: BigInt(id as string), onProgress: progress });
    await settleStale(context, need('program'));
    print(result, describeResult(result));
    return 0;
  },
  'members import': async (context, _url, [file]) => {
    const members = readTable(file).map((row): MemberDraft => {
      const attributes = Object.fromEntries(Object.entries(row).filter(([name, value]) => name.startsWith('member.') && value !== '').map(([name, value]) => [name.slice(7), value]));
      const given = Object.fromEntries((['name', 'email', 'nip', 'from', 'company_type', 'company', 'role', 'territory', 'team'] as const).flatMap((name) => (row[name] ? [[name, row[name]]] : [])));
      return { code: row['code'] ?? '', kind: row['kind'] === 'company' ? 'company' : 'person', ...given, ...(Object.keys(attributes).length > 0 ? { attributes } : {}) };
    });
    const result = await recordMembers(context, { program: need('program'), members });
    print(result, `${result.saved} members saved; ${result.settled} had dated inputs that changed.`);
    return 0;
  },
  'companies import': async (context, _url, [file]) => {
    const companies = readTable(file).map((row): CompanyDraft => ({ code: row['code'] ?? '', name: row['name'] ?? '', ...Object.fromEntries((['vat', 'type', 'parent'] as const).flatMap((name) => (row[name] ? [[name, row[name]]] : []))), codes: Object.fromEntries(Object.entries(row).filter(([name, value]) => name.startsWith('ext.') && value !== '').map(([name, value]) => [name.slice(4), value])) }));
    const saved = await context.transaction((tx) => saveCompanies(tx, context.tenantId, companies));
    print({ saved }, `${saved} companies saved.`);
    return 0;
  },
  'rates import': async (context, _url, [file]) => {
    const rates = readTable(file).map((row) => ({ currency: row['currency'] ?? '', day: row['day'] ?? '', rate: row['rate'] ?? '', origin: row['origin'] ?? '' }));
    const added = await context.transaction(async (tx) => saveRates(tx, context.tenantId, await findProgram(tx, need('program')), rates));
    print({ added }, `${added} rates recorded; ${rates.length - added} were there already.`);
    return 0;
  },
  'segments refresh': async (context) => {
    const segments = await refreshSegments(context, { program: need('program') });
    print({ segments }, segments.map((item) => `${item.segment}: ${item.members} members, ${item.came} came, ${item.left} left`).join('\n'));
    return 0;
  },
  'liability': async (context) => {
    const units = await context.transaction(async (tx) => {
      const program = await findProgram(tx, need('program'));
      return (await readLiability(tx, program.programId, text('as-of') ?? today(context, program.zone))).map((item) => ({ unit: item.unit, ...Object.fromEntries((['available', 'pending', 'held', 'debt'] as const).map((name) => [name, formatMinor(item[name], item.scale)])), by_expiry: item.byExpiry.map((month) => ({ ...month, amount: formatMinor(month.amount, item.scale) })) }));
    });
    print({ units }, units.map((item) => [`${item.unit}: ${JSON.stringify(Object.fromEntries(Object.entries(item).filter(([name]) => name !== 'by_expiry' && name !== 'unit')))}`, ...item.by_expiry.map((month) => `  ${month.month}  ${month.amount.padStart(14)}  ${month.members} members`)].join('\n')).join('\n'));
    return 0;
  },
  'members state': async (context, _url, [state]) => {
    if (!['invited', 'active', 'suspended', 'left'].includes(state ?? '')) throw new Usage('say invited, active, suspended or left');
    const { changed } = await recordInput(context, { kind: 'states', program: need('program'), states: [{ member: need('member'), state: state as 'active', from: need('from'), ...(text('reason') === undefined ? {} : { reason: need('reason') }) }] });
    await settleStale(context, need('program'));
    print({ changed }, changed > 0 ? 'Recorded; the days that count have changed.' : 'Recorded.');
    return 0;
  },
  'targets import': async (context, _url, [file]) => {
    const program = await context.transaction((tx) => findProgram(tx, need('program')));
    const scales = new Map(((program.settings['targets'] ?? []) as { key: string; of: string }[]).map((target) => [target.key, target.of === 'quantity' ? 3 : target.of === 'count' ? 0 : program.currencyScale]));
    const targets = readTable(file).map((row): TargetDraft => ({ target: row['target'] ?? '', subject: row['subject'] ?? '', window_start: row['window_start'] ?? '', value: parseMinor(row['value'] ?? '', scales.get(row['target'] ?? '') ?? 0, 'value'), ...(row['reason'] ? { reason: row['reason'] } : {}) }));
    const result = await recordTargets(context, { program: need('program'), targets });
    await settleStale(context, need('program'));
    print(result, `${result.changed} targets changed.`);
    return 0;
  },
  'activities import': async (context, _url, [file]) => {
    const program = await context.transaction((tx) => findProgram(tx, need('program')));
    const own = new Set(['reference', 'member', 'kind', 'occurred_on', 'quantity', 'amount']);
    const drafts = readTable(file).map((row): ActivityDraft => ({ reference: row['reference'] ?? '', member: /^(code|nip|email):/.test(row['member'] ?? '') ? row['member'] as string : `code:${row['member'] ?? ''}`, kind: row['kind'] ?? '', occurredOn: row['occurred_on'] ?? '',
      quantityMilli: parseMinor(row['quantity'] || '1', 3), amountMinor: parseMinor(row['amount'] || '0', program.currencyScale), attributes: Object.fromEntries(Object.entries(row).filter(([name, value]) => !own.has(name) && value !== '')) }));
    const outcomes: { reference: string; outcome: string }[] = [];
    for (let at = 0; at < drafts.length; at += 1_000) outcomes.push(...(await recordMemberActivities(context, { program: need('program'), source: need('source'), drafts: drafts.slice(at, at + 1_000) })).outcomes);
    const count = (outcome: string): number => outcomes.filter((item) => item.outcome === outcome).length;
    print({ recorded: count('recorded'), known: count('known'), conflict: count('conflict') }, `Recorded ${count('recorded')} activities; ${count('known')} were recorded already, ${count('conflict')} are in conflict.`);
    return count('conflict') > 0 ? 1 : 0;
  },
  'explain': async (context) => {
    const explanations = await context.transaction(async (tx) => {
      const program = await findProgram(tx, need('program'));
      const member = await findMember(tx, program, need('member'));
      return explain(tx, context, program, member, { locale, ...optional('document'), ...optional('mechanic'), ...optional('on') });
    });
    print({ explanations }, explanations.map((item) => [`${item.name}: ${item.amount} ${item.unit}`, ...item.sentences.map((sentence) => `  ${sentence}`)].join('\n')).join('\n\n'));
    return 0;
  },
  'next-step': async (context) => {
    const steps = await context.transaction(async (tx) => {
      const program = await findProgram(tx, need('program'));
      return nextSteps(tx, context, program, await findMember(tx, program, need('member')), text('on') ?? today(context, program.zone), locale);
    });
    print({ steps }, steps.map((step) => `${step.name}: ${step.sentence}`).join('\n'));
    return 0;
  },
  'simulate': async (context, _url, [file]) => { const preview = await simulate(context, readProgramFile(file)); print(preview, describePreview(preview)); return 0; },
  'recalculate propose': async (context, _url, [file]) => {
    if (file === undefined || !existsSync(file)) throw new Usage(`there is no file ${file ?? ''}`);
    const proposed = await proposeRecalculation(context, { file: parseYaml(readFileSync(file, 'utf8')), reason: need('reason') });
    print({ recalculation: proposed.recalculationId, ...proposed.preview }, `${describePreview(proposed.preview)}\nRecalculation ${proposed.recalculationId} waits for another person: premia recalculate approve ${proposed.recalculationId} --as NAME`);
    return 0;
  },
  'recalculate approve': async (context, _url, [id]) => { const preview = await approveRecalculation(context, { program: need('program'), recalculationId: BigInt(must(id, 'the recalculation’s number')) }); print(preview, describePreview(preview)); return 0; },
  'period close': async (context) => {
    const closed = await closePeriod(context, { program: need('program'), from: need('from'), to: need('to') });
    print(closed, `Closed; ${closed.snapshot.entitlements} entitlements, digest ${closed.snapshot.digest}.`);
    return 0;
  },
  'balances': async (context) => {
    const balances = await context.transaction(async (tx) => {
      const program = await findProgram(tx, need('program'));
      const unit = text('unit');
      return readBalances(tx, program.programId, text('as-of') ?? today(context, program.zone), unit === undefined ? {} : { unit });
    });
    const rows = balances.map((item) => ({ member: item.member, unit: item.unit, ...Object.fromEntries((['available', 'pending', 'held', 'debt', 'total'] as const).map((name) => [name, formatMinor(item[name], item.scale)])) }));
    const columns = ['member', 'unit', 'available', 'pending', 'held', 'debt', 'total'];
    print({ balances: rows }, [columns.join(flags['csv'] ? ',' : '\t'), ...rows.map((item) => columns.map((name) => csvCell((item as Record<string, string>)[name] ?? '')).join(flags['csv'] ? ',' : '\t'))].join('\n'));
    return 0;
  },
  'statement': async (context) => {
    const entries = await context.transaction(async (tx) => {
      const program = await findProgram(tx, need('program'));
      const member = await findMember(tx, program, need('member'));
      return readStatement(tx, program.programId, member.memberId, { limit: 10_000 });
    });
    const view = entries.map((entry) => ({ booked_on: entry.bookedOn, amount: formatMinor(entry.amount, entry.scale), unit: entry.unit, balance: formatMinor(entry.balance, entry.scale), kind: entry.kind, mechanic: entry.mechanic, window: entry.windowStart, document: entry.document, reason: entry.reason }));
    print({ entries: view }, view.map((entry) => [entry.booked_on, entry.amount.padStart(12), entry.unit, entry.balance.padStart(12), entry.kind, entry.document ?? entry.window ?? '', entry.mechanic ?? entry.reason ?? ''].join('  ')).join('\n'));
    return 0;
  },
  'demo': async (context) => {
    const anchor = text('anchor');
    await seedDemo(context, { say, ...(anchor === undefined ? {} : { anchor }) });
    const programs = await context.transaction(listPrograms);
    print({ programs: programs.map((program) => program.key) }, `Programs: ${programs.map((program) => program.key).join(', ')}`);
    return 0;
  },
  'backup': async (_context, url, [folder]) => {
    const manifest = await backUp(url, must(folder, 'a folder'), say);
    const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
    print({ tables: manifest.tables.length, rows, heads: manifest.heads }, `${rows} rows of ${manifest.tables.length} tables. Keep the data secret elsewhere: the backup does not hold it, and does not open without it.`);
    return 0;
  },
  'verify': async (context) => {
    const result = await verifyAndKeep(context, need('program'));
    const { counts } = result;
    print(result, [`${counts.facts} facts, ${counts.entitlements} entitlements, ${counts.transfers} transfers, ${counts.lots} lots, ${counts.wallets} wallets, ${counts.members} members`,
      ...result.faults.map((fault) => `${fault.check}: ${fault.where} – expected ${fault.expected}, found ${fault.found}`), `${result.seals} seals, head ${result.head}`, `${result.differences} differences`].join('\n'));
    return result.differences === 0 ? 0 : 1;
  },
};

async function importFiles(context: Context, url: string, files: string[]): Promise<number> {
  if (files.length === 0) throw new Usage('no file named');
  for (const file of files) if (!existsSync(file)) throw new Usage(`there is no file ${file}`);
  const mappingFile = text('mapping');
  const mapping = mappingFile === undefined ? {} : { mapping: mappingShape.parse(JSON.parse(readFileSync(mappingFile, 'utf8'))) };
  const program = need('program');
  say(`Reading ${files.length} file${files.length === 1 ? '' : 's'} …`);
  const staged = await stageImport(context, url, { program, source: need('source'), parts: files.map((path) => ({ path, name: basename(path) })), ...mapping });
  const quarantine = await context.transaction((tx) => readQuarantine(tx, staged.importId, { limit: 100 }));
  for (const row of quarantine.slice(0, 20)) say(`set aside: line ${row.problem.line ?? row.row_no}, column ${row.problem.column || '–'}: “${row.problem.value}” – ${REASONS[row.problem.reason]?.[locale] ?? row.problem.reason}`);
  const awards = flags['preview'] ? (await previewAwards(context, { program, importId: staged.importId })).map((award) => ({ ...award, amount: String(award.amount) })) : undefined;
  if (!flags['approve']) {
    const { counts } = staged;
    print({ import: staged.importId, state: 'staged', ...counts, ...(awards ? { awards } : {}) }, `Import ${staged.importId} is staged: ${counts.documents} documents; lines: ${counts.new} new, ${counts.known} recorded already, ${counts.conflict} in conflict, ${counts.quarantined} set aside.\n${(awards ?? []).map((award) => `It would award ${award.amount} ${award.unit} to ${award.members} members.\n`).join('')}Approve it with: premia import approve ${staged.importId} --program ${program}`);
    return 0;
  }
  await approveImport(context, { program, importId: staged.importId });
  const result = await recordImport(context, { program, importId: staged.importId, onProgress: progress });
  await settleStale(context, program);
  print(result, describeResult(result));
  return result.conflict > 0 ? 1 : 0;
}

const optional = (name: string): Record<string, string> => { const value = text(name); return value === undefined ? {} : { [name]: value }; };
const describePreview = (preview: Preview): string => [...preview.mechanics.map((item) => `${item.mechanic}: ${item.before} → ${item.after} ${item.unit} (smallest units), ${item.changed} members change`),
  ...preview.months.filter((item) => item.before !== item.after).map((item) => `  ${item.month}: ${item.before} → ${item.after} ${item.unit}`), ...preview.distribution.map((item) => `  ${item.unit} per member (10, 25, 50, 75, 90 %, most): ${item.before.join(' ')} → ${item.after.join(' ')}`), `${preview.winners} win, ${preview.losers} lose, ${preview.unchanged} stay.`].join('\n');

/** A small CSV with a header, as rows by column. */
function readTable(file: string | undefined): Record<string, string>[] {
  if (file === undefined || !existsSync(file)) throw new Usage(`there is no file ${file ?? ''}`);
  return parseCsv(readFileSync(file), { bom: true, columns: (header: string[]) => header.map((name) => name.trim()), skip_empty_lines: true, trim: true, delimiter: [',', ';'] }) as Record<string, string>[];
}

const progress = (done: number, of: number): void => { process.stderr.write(process.stderr.isTTY ? `\r${done} of ${of} chunks recorded${done === of ? '\n' : ''}` : ''); };
const describeResult = (result: { recorded: number; known: number; conflict: number; quarantined: number }): string => `Recorded ${result.recorded} lines; ${result.known} were recorded already, ${result.conflict} are in conflict, ${result.quarantined} are set aside.`;

function readProgramFile(file: string | undefined): ReturnType<typeof parseProgram> {
  if (file === undefined || !existsSync(file)) throw new Usage(`there is no file ${file ?? ''}`);
  return parseProgram(readFileSync(file, 'utf8'));
}
type Plan = Awaited<ReturnType<typeof applyProgram>>;
const planView = (plan: Plan): unknown => ({ program: plan.program, changes: plan.changes, mechanics: plan.mechanics.map((step) => ({ key: step.key, action: step.action, from: step.from, versions: step.versions.length })) });
const describePlan = (plan: Plan): string => (plan.program === 'same' ? 'Nothing changes.' : [`program: ${plan.program}`, ...plan.changes.map((name) => `changes: ${name}`), ...plan.mechanics.filter((step) => step.action !== 'same').map((step) => `mechanic ${step.key}: ${step.action} from ${step.from}`)].join('\n'));

/** Restores and verifies: whatever a backup brings must compute to what it says, before anybody signs in. */
async function restoreInstallation(folder: string | undefined, dataDir: string | undefined): Promise<number> {
  if (folder === undefined) throw new Usage('no folder named');
  const where = { own: false, say, ...(dataDir === undefined ? {} : { dataDir }) };
  const empty = await openInstallation(where);
  const manifest = await restore(empty.url, folder, say).finally(() => empty.close());
  // Opened anew: what a restored database is set to holds for connections to come.
  const installation = await openInstallation(where);
  try {
    await assertVault(installation.db);
    const lost = await headsMissing(installation.url, manifest);
    const found: { tenant: bigint; program: string; differences: number }[] = [];
    for (const tenantId of await listTenants(installation.db)) {
      const context = makeContext({ db: installation.db, tenantId, principal: 'installation' });
      for (const { key } of await context.transaction(listPrograms)) found.push({ tenant: tenantId, program: key, differences: (await verifyAll(context, key)).differences });
    }
    print({ made_at: manifest.made_at, programs: found, heads_missing: lost }, [`Restored as of ${manifest.made_at}.`, ...found.map((item) => `program ${item.program}: ${item.differences} differences`), ...lost.map((item) => `the head of ${item} is not there`)].join('\n'));
    return lost.length === 0 && found.every((item) => item.differences === 0) ? 0 : 1;
  } finally {
    await installation.close();
  }
}

async function main(): Promise<number> {
  const two = positionals.slice(0, 2).join(' ');
  if (two === 'program schema') { process.stdout.write(`${JSON.stringify(programSchema(), null, 2)}\n`); return 0; }
  const name = two in commands ? two : positionals[0] ?? '';
  const command = commands[name];
  if (flags['help'] || (!command && name !== 'restore')) { process.stdout.write(`${HELP}\n`); return flags['help'] ? 0 : 2; }
  const dataDir = text('data-dir');
  if (name === 'restore') return restoreInstallation(positionals[1], dataDir);
  const installation = await openInstallation({ own: false, say, ...(dataDir === undefined ? {} : { dataDir }) });
  try {
    await assertVault(installation.db);
    const tenantId = await createTenant(installation.db, text('tenant') ?? 'main', text('tenant') ?? 'Main', new Date().toISOString());
    const context = makeContext({ db: installation.db, tenantId, principal: text('as') ?? 'installation' });
    return await must(command, 'command')(context, installation.url, positionals.slice(name.split(' ').length));
  } finally {
    await installation.close();
  }
}

const code = await main().catch((error: unknown) => {
  if (error instanceof Usage) { say(`${error.message}\n\n${HELP}`); return 2; }
  if (!(error instanceof Refusal)) { say((error as Error).stack ?? String(error)); return 70; }
  if (flags['json']) process.stdout.write(`${JSON.stringify({ refused: error.code, message: error.phrase[locale], places: error.places.map((place) => ({ pointer: place.pointer, code: place.code, message: place.message[locale] })) })}\n`);
  say(error.phrase[locale]);
  for (const place of error.places) say(`  ${place.pointer}: ${place.message[locale]}`);
  return 3;
});
process.exitCode = code;

