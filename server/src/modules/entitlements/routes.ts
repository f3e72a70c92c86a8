import { Refusal, formatMinor, isDay, parseMinor, phrase, type Locale } from '@premia/kernel';
import { today, type Context } from '../../platform/context.ts';
import { numberedCursor, type Handled, type Handler } from '../../platform/http.ts';
import { draftsOf, findSource, ratesFor, reference, type ProductDraft, type SaleDocument } from '../facts/index.ts';
import { findMember, findProgram, listPrograms, type MemberDraft, type StateDraft } from '../members/index.ts';
import { exportProgram, planProgram, readProgram, type ProgramPlan, type TargetDraft } from '../mechanics/index.ts';
import { applyProgram } from './apply-program.ts';
import { approveAwards, approveLate, listLate, listWaitingAwards } from './approve-awards.ts';
import { recordInput, type InputChange } from './change-inputs.ts';
import { closePeriod, listCloses, startClosing } from './close-period.ts';
import { explain } from './explain.ts';
import { nextSteps } from './next-step.ts';
import { loadUnits } from './plan.ts';
import { readBenefits } from './read-benefits.ts';
import { approveRecalculation, listRecalculations, proposeChange, proposeRecalculation, rejectRecalculation, simulate } from './recalculate.ts';
import { recordConflictDecision, recordMembers, recordTargets, recordWaitGivenUp } from './record-inputs.ts';
import { dryRunSales, recordMemberActivities, type Earned, type SaleOutcome } from './record-sales.ts';
import { recordSalesTogether } from './sales-lanes.ts';
import { refreshSegments } from './refresh-segments.ts';
import { settleSoon } from './settle-pools.ts';
import { listSeals } from './seal-chain.ts';

const programOf = ({ params }: Handled): string => params['program'] as string;

/** A change of what rules read, recorded at once; pooled windows follow after the answer. */
async function change(context: Context, input: InputChange): Promise<{ changed: number }> {
  const done = await recordInput(context, input);
  void settleSoon(context, input.program);
  return done;
}

/** Targets as the engine takes them: whole numbers of the measure's smallest units. */
async function targetsOf(context: Context, key: string, targets: readonly (Omit<TargetDraft, 'value'> & { value: string })[]): Promise<TargetDraft[]> {
  const program = await context.transaction((tx) => findProgram(tx, key));
  const scales = new Map(((program.settings['targets'] ?? []) as { key: string; of: string }[]).map((target) => [target.key, target.of === 'quantity' ? 3 : target.of === 'count' ? 0 : program.currencyScale]));
  return targets.map((target) => ({ ...target, value: parseMinor(target.value, scales.get(target.target) ?? 0, 'value') }));
}

export const entitlementHandlers: Record<'listPrograms' | 'planProgram' | 'applyProgram' | 'exportProgram' | 'recordSales' | 'dryRunSales' | 'recordActivities' | 'explain' | 'saveMembers' | 'saveStates' | 'saveProducts' | 'mapProduct' | 'saveTargets' | 'nextSteps' | 'readBenefits'
  | 'refreshSegments' | 'simulate' | 'proposeRecalculation' | 'listRecalculations' | 'approveRecalculation' | 'rejectRecalculation' | 'closePeriod' | 'startClosing' | 'listCloses' | 'listSeals' | 'decideConflict' | 'giveUpWait' | 'listWaitingAwards' | 'approveAwards' | 'listLate' | 'approveLate', Handler> = {
  listPrograms: async (context) => ({ programs: await context.transaction(listPrograms) }),
  planProgram: async (context, { body }) => planView(await context.transaction((tx) => planProgram(tx, readProgram(body)))),
  applyProgram: async (context, { body }) => planView(await applyProgram(context, readProgram(body))),
  exportProgram: (context, given) => context.transaction((tx) => exportProgram(tx, programOf(given))),
  recordSales: (context, given) => sales(context, given, recordSalesTogether),
  dryRunSales: (context, given) => sales(context, given, dryRunSales),
  recordActivities: activities,
  explain: (context, given) => context.transaction(async (tx) => {
    const program = await findProgram(tx, programOf(given));
    const member = await findMember(tx, program, given.params['member'] as string);
    return { explanations: await explain(tx, context, program, member, given.query as { document?: string; mechanic?: string; on?: string; locale: Locale }) };
  }),
  saveMembers: async (context, given) => {
    const saved = await recordMembers(context, { program: programOf(given), members: (given.body as { members: MemberDraft[] }).members });
    void settleSoon(context, programOf(given));
    return saved;
  },
  saveStates: (context, given) => change(context, { kind: 'states', program: programOf(given), ...(given.body as { states: StateDraft[] }) }),
  saveProducts: (context, given) => change(context, { kind: 'products', program: programOf(given), ...(given.body as { products: ProductDraft[] }) }),
  mapProduct: (context, given) => change(context, { kind: 'product_map', program: programOf(given), ...(given.body as { code: string; product: string }) }),
  saveTargets: async (context, given) => {
    const changed = await recordTargets(context, { program: programOf(given), targets: await targetsOf(context, programOf(given), (given.body as { targets: (Omit<TargetDraft, 'value'> & { value: string })[] }).targets) });
    void settleSoon(context, programOf(given));
    return changed;
  },
  nextSteps: (context, given) => context.transaction(async (tx) => {
    const program = await findProgram(tx, programOf(given));
    const { on, locale } = given.query as { on?: string; locale: Locale };
    return { steps: await nextSteps(tx, context, program, await findMember(tx, program, given.params['member'] as string), on ?? today(context, program.zone), locale) };
  }),
  readBenefits: (context, given) => context.transaction(async (tx) => {
    const program = await findProgram(tx, programOf(given));
    const { on, locale } = given.query as { on?: string; locale: Locale };
    return readBenefits(tx, context, program, await findMember(tx, program, given.params['member'] as string), on ?? today(context, program.zone), locale);
  }),
  refreshSegments: async (context, given) => ({ segments: await refreshSegments(context, { program: programOf(given), ...(given.body as { segment?: string } | undefined) }) }),
  simulate: (context, { body }) => simulate(context, readProgram(body)),
  proposeRecalculation: async (context, given) => {
    const { reason, file, change: wanted } = given.body as { reason: string; file?: Record<string, unknown>; change?: InputChange };
    const program = programOf(given);
    if ((file === undefined) === (wanted === undefined)) throw new Refusal('change_missing', 422, phrase('Podaj plik programu albo jedną zmianę.', 'Give either a program’s file or one change.'));
    const made = wanted ? await proposeChange(context, { change: await changeOf(context, program, wanted), reason }) : await proposeRecalculation(context, { file: { ...file, key: program }, reason });
    return { recalculation: made.recalculationId, preview: made.preview };
  },
  listRecalculations: (context, given) => context.transaction(async (tx) => {
    const { limit, after, state } = given.query as { limit: number; after?: string; state?: string };
    const before = numberedCursor(after);
    const found = await listRecalculations(tx, await findProgram(tx, programOf(given)), { limit: limit + 1, ...(state === undefined ? {} : { state }), ...(before === null ? {} : { after: before }) });
    return { recalculations: found.slice(0, limit).map(({ recalculation_id: id, ...item }) => ({ id, ...item })), next: found.length > limit ? String(found[limit - 1]?.recalculation_id) : null };
  }),
  approveRecalculation: (context, given) => approveRecalculation(context, { program: programOf(given), recalculationId: BigInt(given.params['recalculation'] as string) }),
  rejectRecalculation: async (context, given) => { await rejectRecalculation(context, { program: programOf(given), recalculationId: BigInt(given.params['recalculation'] as string) }); return { state: 'rejected' }; },
  closePeriod: async (context, given) => {
    const closed = await closePeriod(context, { program: programOf(given), ...(given.body as { from: string; to: string }) });
    return { close: closed.closeId, ...closed.snapshot };
  },
  startClosing: async (context, given) => { await startClosing(context, { program: programOf(given), ...(given.body as { from: string; to: string }) }); return { state: 'closing' }; },
  listCloses: (context, given) => context.transaction(async (tx) => ({ closes: (await listCloses(tx, await findProgram(tx, programOf(given)))).map((item) => ({ id: item.close_id, from: item.starts_on, to: item.ends_on, state: item.state, snapshot: item.snapshot, closed_by: item.closed_by })) })),
  listSeals: (context, { query }) => context.transaction(async (tx) => {
    const { limit, after } = query as { limit: number; after?: string };
    const before = numberedCursor(after);
    const found = await listSeals(tx, { limit: limit + 1, ...(before === null ? {} : { before }) });
    return { seals: found.slice(0, limit), next: found.length > limit ? String(found[limit - 1]?.seal) : null };
  }),
  decideConflict: async (context, given) => {
    const { decision, reason } = given.body as { decision: 'keep' | 'accept'; reason: string };
    await recordConflictDecision(context, { program: programOf(given), conflictId: BigInt(given.params['conflict'] as string), decision, reason });
    void settleSoon(context, programOf(given));
    return { state: decision === 'keep' ? 'kept' : 'accepted' };
  },
  giveUpWait: async (context, given) => {
    const { source, document, reason } = given.body as { source: string; document: string; reason: string };
    await recordWaitGivenUp(context, { program: programOf(given), source, number: document, reason });
    void settleSoon(context, programOf(given));
    return { state: 'given_up' };
  },
  listWaitingAwards: (context, given) => context.transaction(async (tx) => ({ awards: await listWaitingAwards(tx, await findProgram(tx, programOf(given)), given.query as { limit: number }) })),
  approveAwards: async (context, given) => ({ opened: await approveAwards(context, { program: programOf(given), ...(given.body as { mechanic: string; window: string; members?: string[] }) }) }),
  listLate: (context, given) => context.transaction(async (tx) => ({ late: await listLate(tx, context, await findProgram(tx, programOf(given)), given.query as { limit: number }) })),
  approveLate: async (context, given) => ({ posted: await approveLate(context, { program: programOf(given), ...(given.body as { members?: string[] } | undefined) }) }),
};

async function changeOf(context: Context, program: string, wanted: InputChange): Promise<InputChange> {
  if (wanted.kind !== 'targets') return { ...wanted, program };
  return { ...wanted, program, targets: (await targetsOf(context, program, wanted.targets)).map((target) => ({ ...target, value: String(target.value) })) };
}

const planView = (plan: ProgramPlan): unknown => ({ program: plan.program, changes: plan.changes, mechanics: plan.mechanics.map((step) => ({ key: step.key, action: step.action, from: step.from, versions: step.versions.length })) });

async function sales(context: Context, { params, body }: Handled, record: typeof recordSalesTogether): Promise<unknown> {
  const { source: sourceKey, documents } = body as { source: string; documents: SaleDocument[] };
  const key = params['program'] as string;
  const { lines, scales } = await context.transaction(async (tx) => {
    const program = await findProgram(tx, key);
    const source = await findSource(tx, program, sourceKey);
    return { lines: draftsOf(documents, program, source, await ratesFor(tx, documents, program, source)), scales: new Map([...await loadUnits(tx, program)].map(([unit, row]) => [unit, row.scale])) };
  });
  const outcomes: SaleOutcome[] = await record(context, { program: key, source: sourceKey, lines });
  if (record === recordSalesTogether) void settleSoon(context, key); // teams, ranks: after the answer
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
