import { expect, test } from 'vitest';
import { ACTIONS, KINDS, STATES, next } from '../../server/src/modules/rewards/index.ts';
import { STATE_WORDS, railOf, unitsIn, type Kind } from '../../server/src/modules/rewards/machine.ts';

/** Battery B1: every state with every action, legal or not, for every kind. What is not in this table is refused. */
const LEGAL: Record<string, string[]> = {
  before: ['requested approve approved', 'requested ask_payment awaiting_payment', 'requested reject rejected', 'requested cancel cancelled', 'awaiting_payment pay approved', 'awaiting_payment reject rejected', 'awaiting_payment cancel cancelled', 'awaiting_payment recall requested', 'approved reject rejected', 'approved cancel cancelled', 'approved recall requested'],
  money: ['approved batch batched', 'approved send sent', 'batched unbatch approved', 'batched recall requested', 'batched export exported', 'exported deliver delivered', 'exported fail failed', 'sent deliver delivered', 'sent fail failed', 'delivered return returned'],
  code: ['approved issue issued', 'issued return returned'],
  parcel: ['approved ship shipped', 'shipped deliver delivered', 'shipped return returned', 'delivered return returned'],
  service: ['approved deliver delivered', 'delivered return returned'],
};

test.each(KINDS)('%s: %#', (kind: Kind) => {
  const legal = new Set([...(LEGAL['before'] ?? []), ...(LEGAL[railOf(kind)] ?? [])]);
  let refused = 0;
  for (const state of STATES) for (const action of ACTIONS) {
    const to = next(kind, state, action);
    if (to === null) refused += 1; else expect(legal.delete(`${state} ${action} ${to}`), `${kind}: ${state} ${action} ${to}`).toBe(true);
  }
  expect([...legal]).toEqual([]);
  expect(refused).toBe(STATES.length * ACTIONS.length - (LEGAL['before']?.length ?? 0) - (LEGAL[railOf(kind)]?.length ?? 0));
});

test('units never go from back to held or spent, and what is spent can only come back', () => {
  for (const kind of KINDS) for (const state of STATES) for (const action of ACTIONS) {
    const to = next(kind, state, action);
    if (to !== null) expect(['held>held', 'held>spent', 'held>back', 'spent>spent', 'spent>back']).toContain(`${unitsIn(state)}>${unitsIn(to)}`);
  }
});

test('every state has words in both languages, and those that give back say so', () => {
  for (const state of STATES) {
    expect(STATE_WORDS[state].pl.length * STATE_WORDS[state].en.length).toBeGreaterThan(0);
    expect(STATE_WORDS[state].pl.includes('punkty wróciły')).toBe(unitsIn(state) === 'back');
  }
});
