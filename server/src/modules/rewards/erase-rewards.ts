import { sql } from 'kysely';
import { must, phrase } from '@premia/kernel';
import { row, type Tx } from '../../platform/database.ts';
import type { ErasedElsewhere, Member, Program } from '../members/index.ts';

/** What erasing a person takes from rewards, and what stays and why. */
export const rewardsErasure: ErasedElsewhere = {
  erase: async (tx: Tx, program: Program, member: Member) => { await sql`SELECT rewards.erase(${program.programId}, ${member.memberId})`.execute(tx); },
  preview: async (tx: Tx, program: Program, member: Member) => {
    const of = sql`program_id = ${program.programId} AND member_id = ${member.memberId}`;
    const n = must(await row<Record<'accounts' | 'cards' | 'addresses' | 'items' | 'taxed', number>>(tx, sql`SELECT (SELECT count(*)::int FROM rewards.account WHERE ${of}) AS accounts, (SELECT count(*)::int FROM rewards.card WHERE ${of}) AS cards, (SELECT count(*)::int FROM rewards.reward_order WHERE ${of} AND address IS NOT NULL) AS addresses,
      (SELECT count(*)::int FROM rewards.item WHERE ${of}) AS items, (SELECT count(*)::int FROM rewards.tax_entry WHERE ${of} AND form <> 'NONE') AS taxed`), 'counts');
    return {
      goes: [{ what: phrase('numery rachunków i kart', 'account and card numbers'), count: n.accounts + n.cards }, { what: phrase('adresy dostaw', 'addresses of deliveries'), count: n.addresses }],
      stays: [{ what: phrase('zamówienia nagród pod pseudonimem', 'orders of rewards under a pseudonym'), why: phrase('rozliczenie ze sponsorem i dowody księgowe: 5 lat (UoR art. 74)', 'the sponsor’s settlement and accounting evidence: 5 years (Accounting Act art. 74)'), count: n.items },
        { what: phrase('dane do podatku i pliki wypłat, zaszyfrowane', 'data for the tax office and payout files, encrypted'), why: phrase('obowiązek podatkowy do przedawnienia (RODO art. 17 ust. 3 lit. b)', 'tax duty until it lapses (GDPR Art. 17(3)(b))'), count: n.taxed }],
    };
  },
};
