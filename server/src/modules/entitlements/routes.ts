import { createWriteStream, mkdirSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Refusal, formatMinor, isDay, parseMinor, phrase, type Locale } from '@premia/kernel';
import { today, type Context } from '../../platform/context.ts';
import type { Handled, Handler } from '../../platform/http.ts';
import { draftsOf, findSource, readQuarantine, reference, stageImport, type SaleDocument } from '../facts/index.ts';
import { findMember, findProgram, listPrograms, type MemberDraft } from '../members/index.ts';
import { exportProgram, planProgram, readProgram, type ProgramPlan, type TargetDraft } from '../mechanics/index.ts';
import { applyProgram } from './apply-program.ts';
import { approveImport, findImport, previewAwards, recordImport } from './approve-import.ts';
import { explain } from './explain.ts';
import { closePeriod } from './close-period.ts';
import { nextSteps } from './next-step.ts';
import { loadUnits } from './plan.ts';
import { approveRecalculation, proposeRecalculation, proposeRecredit, simulate, type Recredit } from './recalculate.ts';
import { recordMembers, recordTargets } from './record-inputs.ts';
import { dryRunSales, recordMemberActivities, recordSales, type Earned, type SaleOutcome } from './record-sales.ts';
import { settleSoon } from './settle-pools.ts';
import { verifyProgram } from './verify.ts';

type Name = 'saveMembers' | 'saveTargets' | 'nextSteps' | 'simulate' | 'proposeRecalculation' | 'approveRecalculation' | 'closePeriod' | 'listPrograms' | 'planProgram' | 'applyProgram' | 'exportProgram' | 'recordSales' | 'dryRunSales' | 'recordActivities' | 'stageImport' | 'readQuarantine' | 'previewImport' | 'approveImport' | 'explain' | 'verify';

/** Contract → use case. `place` is where uploads are kept and which login COPY may use. */
export function entitlementHandlers(place: { uploads: string; loadUrl: string }): Record<Name, Handler> {
  return {
    listPrograms: async (context) => ({ programs: await context.transaction(listPrograms) }),
    planProgram: async (context, { body }) => planView(await context.transaction((tx) => planProgram(tx, readProgram(body)))),
    applyProgram: async (context, { body }) => planView(await applyProgram(context, readProgram(body))),
    exportProgram: (context, { params }) => context.transaction((tx) => exportProgram(tx, params['program'] as string)),
    recordSales: (context, given) => sales(context, given, recordSales),
    dryRunSales: (context, given) => sales(context, given, dryRunSales),
    recordActivities: activities,
    stageImport: async (context, { params, query, upload }) => {
      if (!upload) throw new Refusal('file_empty', 422, phrase('Plik jest pusty.', 'The file is empty.'));
      mkdirSync(place.uploads, { recursive: true });
      const path = join(place.uploads, randomUUID());
      await pipeline(upload, createWriteStream(path, { mode: 0o600 }));
      const staged = await stageImport(context, place.loadUrl, { program: params['program'] as string, source: query['source'] as string, parts: [{ path, name: query['name'] as string }] });
      return { import: staged.importId, state: 'staged', counts: staged.counts };
    },
    readQuarantine: (context, { params, query }) => context.transaction(async (tx) => {
      const program = await findProgram(tx, params['program'] as string);
      const found = await findImport(tx, program, BigInt(params['import'] as string));
      const { limit, after } = query as { limit: number; after?: string };
      const rows = await readQuarantine(tx, found.import_id, { limit: limit + 1, after: /^\d{1,18}$/.test(after ?? '') ? BigInt(after as string) : 0n });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return { rows: page.map((row) => ({ part: row.part, line: row.row_no, column: row.problem.column, value: row.problem.value, reason: row.problem.reason, raw: row.raw })), next: rows.length > limit && last ? String(BigInt(last.part) * 1_099_511_627_776n + last.row_no) : null };
    }),
    previewImport: async (context, { params }) => ({ awards: await previewAwards(context, { program: params['program'] as string, importId: BigInt(params['import'] as string) }) }),
    approveImport: async (context, { params }) => {
      const input = { program: params['program'] as string, importId: BigInt(params['import'] as string) };
      await approveImport(context, input);
      const { importId: _, ...result } = await recordImport(context, input);
      void settleSoon(context, input.program);
      return result;
    },
    explain: (context, { params, query }) => context.transaction(async (tx) => {
      const program = await findProgram(tx, params['program'] as string);
      const member = await findMember(tx, program, params['member'] as string);
      return { explanations: await explain(tx, context, program, member, query as { document?: string; mechanic?: string; on?: string; locale: Locale }) };
    }),
    saveMembers: async (context, { params, body }) => {
      const saved = await recordMembers(context, { program: params['program'] as string, members: (body as { members: MemberDraft[] }).members });
      void settleSoon(context, params['program'] as string);
      return saved;
    },
    saveTargets: async (context, { params, body }) => {
      const program = await context.transaction((tx) => findProgram(tx, params['program'] as string));
      const scales = new Map(((program.settings['targets'] ?? []) as { key: string; of: string }[]).map((target) => [target.key, target.of === 'quantity' ? 3 : target.of === 'count' ? 0 : program.currencyScale]));
      const { targets } = body as { targets: (Omit<TargetDraft, 'value'> & { value: string })[] };
      const changed = await recordTargets(context, { program: program.key, targets: targets.map((target) => ({ ...target, value: parseMinor(target.value, scales.get(target.target) ?? 0, 'value') })) });
      void settleSoon(context, program.key);
      return changed;
    },
    nextSteps: (context, { params, query }) => context.transaction(async (tx) => {
      const program = await findProgram(tx, params['program'] as string);
      const { on, locale } = query as { on?: string; locale: Locale };
      return { steps: await nextSteps(tx, context, program, await findMember(tx, program, params['member'] as string), on ?? today(context, program.zone), locale) };
    }),
    simulate: (context, { body }) => simulate(context, readProgram(body)),
    proposeRecalculation: async (context, { params, body }) => {
      const { reason, file, recredit } = body as { reason: string; file?: Record<string, unknown>; recredit?: Omit<Recredit, 'kind' | 'program'> };
      const program = params['program'] as string;
      if ((file === undefined) === (recredit === undefined)) throw new Refusal('change_missing', 422, phrase('Podaj plik programu albo przypisanie dokumentu.', 'Give either a program’s file or a document to credit.'));
      const made = recredit ? await proposeRecredit(context, { change: { kind: 'recredit', program, ...recredit }, reason }) : await proposeRecalculation(context, { file: { ...file, key: program }, reason });
      return { recalculation: made.recalculationId, preview: made.preview };
    },
    approveRecalculation: (context, { params }) => approveRecalculation(context, { program: params['program'] as string, recalculationId: BigInt(params['recalculation'] as string) }),
    closePeriod: async (context, { params, body }) => {
      const closed = await closePeriod(context, { program: params['program'] as string, ...(body as { from: string; to: string }) });
      return { close: closed.closeId, ...closed.snapshot };
    },
    verify: (context, { params }) => verifyProgram(context, params['program'] as string),
  };
}

const planView = (plan: ProgramPlan): unknown => ({ program: plan.program, changes: plan.changes, mechanics: plan.mechanics.map((step) => ({ key: step.key, action: step.action, from: step.from, versions: step.versions.length })) });

async function sales(context: Context, { params, body }: Handled, record: typeof recordSales): Promise<unknown> {
  const { source: sourceKey, documents } = body as { source: string; documents: SaleDocument[] };
  const key = params['program'] as string;
  const { lines, scales } = await context.transaction(async (tx) => {
    const program = await findProgram(tx, key);
    const source = await findSource(tx, program, sourceKey);
    return { lines: draftsOf(documents, program, source), scales: new Map([...await loadUnits(tx, program)].map(([unit, row]) => [unit, row.scale])) };
  });
  const outcomes: SaleOutcome[] = await record(context, { program: key, source: sourceKey, lines });
  if (record === recordSales) void settleSoon(context, key); // teams, ranks: after the answer
  const shown = (earned: readonly Earned[]): unknown => earned.map((item) => ({ member: item.member, unit: item.unit, amount: formatMinor(item.amount, scales.get(item.unit) ?? 0) }));
  return {
    documents: outcomes.map((outcome) => ({ number: outcome.number, recorded: outcome.recorded, known: outcome.known, conflict: outcome.conflict, waiting: outcome.waiting, earned: shown(outcome.earned) })),
    earned_elsewhere: shown(outcomes[0]?.elsewhere ?? []),
  };
}

type ActivityBody = { source: string; activities: { reference: string; member: string; kind: string; occurred_on: string; quantity: string; amount: string; attributes: Record<string, string> }[] };

async function activities(context: Context, { params, body }: Handled): Promise<unknown> {
  const { source: sourceKey, activities: given } = body as ActivityBody;
  const key = params['program'] as string;
  const drafts = await context.transaction(async (tx) => {
    const program = await findProgram(tx, key);
    const source = await findSource(tx, program, sourceKey);
    return given.map((item, index) => {
      if (!isDay(item.occurred_on)) throw new Refusal('request_malformed', 422, phrase('Nieprawidłowa data.', 'Not a valid date.'), [{ pointer: `/body/activities/${index}/occurred_on`, code: 'date_malformed', message: phrase('data', 'date') }]);
      return { reference: item.reference, member: reference(item.member, source, `/body/activities/${index}/member`) as string, kind: item.kind, occurredOn: item.occurred_on, quantityMilli: parseMinor(item.quantity, 3), amountMinor: parseMinor(item.amount, program.currencyScale), attributes: item.attributes };
    });
  });
  const result = await recordMemberActivities(context, { program: key, source: sourceKey, drafts });
  void settleSoon(context, key);
  return { activities: result.outcomes, earned: result.earned };
}
