import { seedCatalogue } from '../../server/src/demo/seed-rewards.ts';
import { approveAdjustment, findUnit, openPosting, proposeAdjustment } from '../../server/src/modules/ledger/index.ts';
import { acceptTerms, findMember, findProgram } from '../../server/src/modules/members/index.ts';
import { approveBatch, approveItems, confirmBatch, downloadBatch, exportBatch, issueCard, placeOrder, proposeBatch, saveAccount, saveProfile } from '../../server/src/modules/rewards/index.ts';
import type { Context } from '../../server/src/platform/context.ts';
import { PROFILE } from './reward-world.ts';
import type { Stage } from './stage.ts';

const STAFF = { operator: 'olga', approver: 'adam', owner: 'wiktor' };
export const as = (stage: Stage, person: string): Context => ({ ...stage.context, principal: `person:${person}` });

/** The demo's catalogue on a stage; R001 and R002 have enough to order, cards and accounts. */
export async function openCatalogue(stage: Stage): Promise<void> {
  await seedCatalogue(stage.context, STAFF);
  await stage.context.transaction(async (tx) => {
    const program = await findProgram(tx, 'lapa');
    const posting = await openPosting(tx, stage.context, program);
    const { unitId } = await findUnit(tx, program.programId, 'points');
    for (const [index, code] of ['R001', 'R002'].entries()) {
      const { memberId } = await findMember(tx, program, code);
      await approveAdjustment(tx, posting, await proposeAdjustment(tx, { ...posting, memberId, unitId }, { amount: 9_000n, reason: 'Bonus', principal: 'olga' }), 'adam', true);
      await issueCard(tx, stage.context, program, { memberId, proxy: `STAGE-${index}`, last4: `770${index}`, on: '2026-05-01' });
      await saveAccount(tx, stage.context, program, { memberId, iban: 'PL27114020040000300201355387', holder: 'Joanna Kowalska', on: '2026-05-01' });
      await acceptTerms(tx, stage.context, program, { memberId, userId: 'stage', version: 1, evidence: {} }, '2026-11-20').catch(() => undefined);
      if (code !== 'R001') await saveProfile(tx, stage.context, program, memberId, PROFILE);
    }
  });
}

/** Orders in several stages of their way, and a batch that came back. */
export async function someOrders(stage: Stage): Promise<void> {
  await openCatalogue(stage);
  await stage.context.transaction(async (tx) => { const program = await findProgram(tx, 'lapa'); await saveProfile(tx, stage.context, program, (await findMember(tx, program, 'R001')).memberId, PROFILE); });
  const order = async (member: string, reward: string, amount: bigint | null = null): Promise<bigint> => (await placeOrder(as(stage, member), { program: 'lapa', member, reference: `${member}-${reward}`, lines: [{ reward, quantity: 1, amount }], address: { name: 'Joanna', street: 'Psia 4', postcode: '60-101', city: 'Poznań', phone: '' } })).items[0]?.itemId ?? 0n;
  await order('R001', 'bon-50');
  await order('R001', 'czajnik');
  const items = [await order('R001', 'doladowanie-karty', 10_000n), await order('R002', 'doladowanie-karty', 20_000n)];
  await approveItems(as(stage, 'adam'), 'lapa', items);
  const batch = await proposeBatch(as(stage, 'olga'), 'lapa', { rail: 'prepaid', format: 'topup', executeOn: '2026-11-20' });
  await approveBatch(as(stage, 'adam'), 'lapa', batch);
  await exportBatch(as(stage, 'wiktor'), 'lapa', batch);
  const reference = (await downloadBatch(as(stage, 'wiktor'), 'lapa', batch)).bytes.toString().split('\r\n')[1]?.split(';')[0] ?? '';
  await confirmBatch(as(stage, 'olga'), 'lapa', batch, { text: `order_ref;line_no;status;reason\n${reference};1;LOADED;\n${reference};2;REJECTED;karta zablokowana\n` });
  await order('R002', 'przelew', 10_000n);
}
