import { join } from 'node:path';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { findOrMakeSecret, openInstallation } from './compose.ts';
import { demoCodes, removeDemoPeople, seedPeople } from './demo/seed-people.ts';
import { seedDemo } from './demo/seed-demo.ts';
import { startSimulatedProvider } from './demo/simulated-provider.ts';
import { makeApp } from './make-app.ts';
import { makeMailer } from './platform/mail.ts';
import { assertVault, httpProvider, tellMember } from './modules/rewards/index.ts';
import { makeContext, type Context } from './platform/context.ts';
import { startJobs } from './platform/jobs.ts';
import { makeTasks, takeUp } from './tasks.ts';
import { resumeImports } from './modules/entitlements/index.ts';
import { PERMISSIONS, authenticate, createApiKey, createTenant } from './modules/identity/index.ts';

/** Starts the server: database, migrations, the demo at first start, HTTP; then what a crash left undone. Ctrl-C and SIGTERM stop both cleanly. */
const say = (line: string): void => { process.stderr.write(`${line}\n`); };
const host = process.env['HOST'] ?? '127.0.0.1';
const port = Number(process.env['PORT'] ?? 3_000);

say('Starting Premia …');
const installation = await openInstallation({ own: true, say });
const at = new Date().toISOString();
const tenantId = await createTenant(installation.db, 'main', 'Main', at);
await assertVault(installation.db);
const context = makeContext({ db: installation.db, tenantId, principal: 'installation' });
const secret = await findOrMakeKey(context, join(installation.dataDir, 'api-key'));
const demo = process.env['PREMIA_DEMO'] !== 'off';
if (demo) await seedDemo(context, { say });
const ending = new AbortController();
const publicUrl = (process.env['PUBLIC_URL'] ?? `http://localhost:${port}`).replace(/\/$/, '');

const app = await makeApp({
  db: installation.db, url: installation.url, uploads: join(installation.dataDir, 'uploads'), publicUrl, secret: findOrMakeSecret(join(installation.dataDir, 'session-secret'), 'SESSION_SECRET'), log: process.env['LOG'] === 'on',
  screens: join(import.meta.dirname, '../../dist'), ...(process.env['SMTP_URL'] === undefined ? {} : { smtpUrl: process.env['SMTP_URL'] }), ...(process.env['MAIL_FROM'] === undefined ? {} : { mailFrom: process.env['MAIL_FROM'] }),
  ...(demo ? { mailbox: true, codes: demoCodes } : {}),
});
const mailer = makeMailer(process.env['SMTP_URL'], process.env['MAIL_FROM'] ?? 'premia@localhost');
const simulated = demo ? await startSimulatedProvider() : null;
const providerUrl = process.env['PAYOUT_PROVIDER_URL'] ?? simulated?.url;
// A letter that does not get away says so here and holds nothing else up: the portal shows the same.
const tell = (of: Context, event: Parameters<typeof tellMember>[1]): Promise<void> => tellMember(of, event, { mailer, publicUrl, people: (ids) => app.signIn.namesOf(ids) }).catch((error: unknown) => say(`A mail could not be sent: ${(error as Error).message}`));
const jobs = await startJobs(installation.url, makeTasks(installation.db, Date.now, ending.signal, { tell, ...(providerUrl === undefined ? {} : { provider: httpProvider(providerUrl) }) }), (task, error) => say(`Job ${task} failed and will be tried again: ${(error as Error).message}`));
const people = demo ? await seedPeople(context, app.signIn, installation.url) : [];
if (!demo) await removeDemoPeople(app.signIn);
if (!demo && process.env['SMTP_URL'] === undefined) say('SMTP_URL is not set: mail is kept in the database and not sent.');
const address = await app.listen({ host, port });

say(`
Premia runs.
${people.length === 0 ? '' : `
  Sign in with the password “${people[0]?.password}”:
${people.map((person) => `    ${person.role.padEnd(10)} ${publicUrl}${person.place.padEnd(9)} ${person.email}`).join('\n')}
  Mail and codes ${publicUrl}/mailbox
`}${demo ? '' : `\n  The first person: npm run -s premia -- person invite --email you@example.org --name "Your Name" --role owner\n`}
  API            ${address}/v1/programs
  Documentation  ${address}/docs
  API key        ${secret}

  curl -H "Authorization: Bearer ${secret}" ${address}/v1/programs
  npm run -s premia -- verify --program lapa

Stop it with Ctrl-C.`);

const takenUp = takeUp(installation.db, resumeImports, ending.signal).catch((error: unknown) => { if (!ending.signal.aborted) say(`What was left undone could not be taken up, and a job will try again: ${(error as Error).message}`); });

let stopping = false;
const stop = async (): Promise<void> => {
  if (stopping) return;
  stopping = true;
  say('\nStopping …');
  ending.abort();
  await app.close();
  simulated?.stop();
  await Promise.all([jobs.stop(), takenUp]);
  await installation.close();
  process.exit(0);
};
process.on('SIGINT', () => { void stop(); });
process.on('SIGTERM', () => { void stop(); });

/** The installation's own key, kept in the data folder for whoever may read that. */
async function findOrMakeKey(of: Context, file: string): Promise<string> {
  if (existsSync(file)) {
    const kept = readFileSync(file, 'utf8').trim();
    if (await authenticate(of.db, kept)) return kept;
  }
  const made = await createApiKey(of, { name: 'installation', permissions: PERMISSIONS });
  writeFileSync(file, `${made.secret}\n`, { mode: 0o600 });
  return made.secret;
}
