import { addDays, addMonths, dice, windowStart, type Day, type Dice } from '@premia/kernel';
import type { ActivityDraft, LineDraft } from '../modules/facts/index.ts';
import type { MemberDraft } from '../modules/members/index.ts';
import type { TargetDraft } from '../modules/mechanics/index.ts';

/*
 * Two believable years of a pet-goods producer, the same for the same seed and anchor day: shops of very different size, a season
 * before Christmas, slow growth that differs by region, returns, quizzes. Nothing here is random but the dice.
 */
export const DEMO_SEED = 20_261;
const REGIONS = ['Łódź', 'Warszawa', 'Kraków', 'Poznań', 'Wrocław', 'Gdańsk', 'Szczecin', 'Lublin', 'Białystok', 'Rzeszów', 'Katowice', 'Kielce', 'Olsztyn', 'Opole'] as const;
const FIRST = ['Anna', 'Piotr', 'Katarzyna', 'Tomasz', 'Magdalena', 'Marcin', 'Agnieszka', 'Paweł', 'Joanna', 'Michał', 'Ewa', 'Jakub', 'Monika', 'Łukasz', 'Barbara'] as const;
const LAST = ['Nowak', 'Kowalska', 'Wiśniewski', 'Wójcik', 'Kamińska', 'Lewandowski', 'Zielińska', 'Szymański', 'Woźniak', 'Dąbrowska', 'Kozłowski', 'Jankowska', 'Mazur', 'Krawczyk'] as const;
const SHOPS = ['Zoo Świat', 'Cztery Łapy', 'Mruczek', 'Pupil', 'Azor', 'Zwierzakowo', 'Ogon', 'Kocie Sprawy', 'Psi Raj', 'Animals'] as const;
const SEASON = [92, 90, 98, 100, 102, 96, 90, 92, 100, 104, 112, 124] as const;
const PRODUCTS: readonly [sku: string, price: number, weight: number][] = [['KAR-PIES-10', 11_490, 22], ['KAR-PIES-03', 4_290, 16], ['KAR-KOT-10', 12_990, 14], ['KAR-KOT-02', 3_190, 14], ['ZWI-BENT-15', 3_490, 18], ['ZWI-DREW-10', 2_690, 10], ['PRZ-GRYZ-20', 1_890, 12], ['PRZ-KOT-05', 1_290, 10], ['ZAB-PILKA-1', 990, 5], ['AKC-SMYCZ-2', 2_990, 4]];
export const REPS = 120;
export const SHOPS_COUNT = 1_800;
const MONTHS = 24;

type Shop = { code: string; rep: string; region: number; size: number; growth: number };
export type Demo = { members: MemberDraft[]; targets: TargetDraft[]; months: { month: Day; lines: LineDraft[] }[]; activities: ActivityDraft[] };

const pad = (value: number, width: number): string => String(value).padStart(width, '0');

/** Everything the demo records, ending on the anchor day. */
export function generateDemo(anchor: Day, seed = DEMO_SEED): Demo {
  const d = dice(seed);
  const first = addMonths(windowStart(anchor, 'month'), -(MONTHS - 1));
  const reps = Array.from({ length: REPS }, (_, index): MemberDraft => ({ code: `R${pad(index + 1, 3)}`, kind: 'person', name: `${d.pick(FIRST)} ${d.pick(LAST)}`, email: `rep${index + 1}@lapa.example`, team: REGIONS[index % REGIONS.length] as string, territory: REGIONS[index % REGIONS.length] as string, from: first }));
  const shops = Array.from({ length: SHOPS_COUNT }, (_, index): Shop => {
    const rep = index % REPS;
    return { code: `S${pad(index + 1, 4)}`, rep: `R${pad(rep + 1, 3)}`, region: rep % REGIONS.length, size: 0.4 + d.next() ** 3 * 4, growth: 0.94 + d.next() * 0.2 };
  });
  const months = Array.from({ length: MONTHS }, (_, index) => addMonths(first, index));
  const expected = new Map<string, number>();
  const sales = months.map((month, index) => ({ month, lines: salesOfMonth(d, shops, month, index, anchor, expected) }));
  return {
    members: [...reps, ...shops.map((shop, index): MemberDraft => ({ code: shop.code, kind: 'company', name: `${SHOPS[index % SHOPS.length] as string} ${REGIONS[shop.region] as string} ${index + 1}`, company_type: shop.size > 2.5 ? 'chain' : 'shop', territory: REGIONS[shop.region] as string, attributes: { size: shop.size > 2.5 ? 'l' : shop.size > 1 ? 'm' : 's' }, from: first }))],
    targets: months.flatMap((month) => reps.map((rep): TargetDraft => ({ target: 'monthly', subject: rep.code, window_start: month, value: BigInt(Math.round((expected.get(`${rep.code}/${month}`) ?? 1_000_000) * (0.88 + d.next() * 0.28) / 10_000)) * 10_000n }))),
    months: sales, activities: quizzes(d, reps, first, anchor),
  };
}

function salesOfMonth(d: Dice, shops: readonly Shop[], month: Day, index: number, anchor: Day, expected: Map<string, number>): LineDraft[] {
  const lines: LineDraft[] = [];
  const season = (SEASON[Number(month.slice(5, 7)) - 1] as number) / 100;
  for (const shop of shops) {
    const pace = shop.size * season * shop.growth ** (index / 12);
    const mean = 38_000 * pace * 0.85;
    expected.set(`${shop.rep}/${month}`, (expected.get(`${shop.rep}/${month}`) ?? 0) + mean);
    const orders = d.next() < 0.85 ? (pace > 2.2 ? 2 : 1) : 0;
    for (let order = 0; order < orders; order += 1) {
      const on = addDays(month, d.below(27));
      if (on > anchor) continue;
      const number = `FV/${month.slice(0, 7)}/${shop.code}/${order + 1}`;
      const own = orderLines(d, shop, number, on, (pace / orders) * (0.7 + d.next() * 0.6));
      lines.push(...own);
      if (d.next() < 0.025 && own[0]) lines.push(returnOf(d, own[0], anchor));
    }
  }
  return lines;
}

function orderLines(d: Dice, shop: Shop, number: string, on: Day, pace: number): LineDraft[] {
  const count = d.between(1, 3);
  const chosen = new Set<number>();
  while (chosen.size < count) chosen.add(weighted(d));
  return [...chosen].map((place, line): LineDraft => {
    const [sku, price] = PRODUCTS[place] as (typeof PRODUCTS)[number];
    const pieces = Math.max(1, Math.round((38_000 * pace) / count / price));
    return draft({ number, occurredOn: on, lineNo: String(line + 1), productCode: sku, quantityMilli: BigInt(pieces) * 1_000n, netMinor: BigInt(pieces) * BigInt(price), buyer: `code:${shop.code}`, rep: `code:${shop.rep}` });
  });
}

function weighted(d: Dice): number {
  let roll = d.below(PRODUCTS.reduce((sum, [, , weight]) => sum + weight, 0));
  return PRODUCTS.findIndex(([, , weight]) => { roll -= weight; return roll < 0; });
}

function returnOf(d: Dice, sold: LineDraft, anchor: Day): LineDraft {
  const pieces = sold.quantityMilli / 1_000n;
  const back = BigInt(d.between(1, Number(pieces)));
  const on = addDays(sold.occurredOn, d.between(2, 25));
  return draft({ number: `KOR/${sold.number.slice(3)}`, kind: 'correction', occurredOn: on > anchor ? anchor : on, lineNo: '1', productCode: sold.productCode, quantityMilli: -back * 1_000n, netMinor: -back * (sold.netMinor / pieces), buyer: sold.buyer, rep: sold.rep, baseNumber: sold.number, baseLine: sold.lineNo });
}

function draft(given: Partial<LineDraft> & Pick<LineDraft, 'number' | 'occurredOn' | 'quantityMilli' | 'netMinor'>): LineDraft {
  return { kind: 'sale', occurredAt: null, hour: null, baseNumber: null, baseLine: null, lineNo: null, productCode: null, productName: null, grossMinor: null, currency: 'PLN', original: null, buyer: null, seller: null, rep: null, shares: null, channel: null, attributes: null, ...given };
}

function quizzes(d: Dice, reps: readonly MemberDraft[], first: Day, anchor: Day): ActivityDraft[] {
  return reps.flatMap((rep): ActivityDraft[] => {
    if (d.next() > 0.6) return [];
    const on = addDays(first, 30 + d.below(650));
    return [{ reference: `quiz-litter-${rep.code}`, member: `code:${rep.code}`, kind: 'quiz_passed', occurredOn: on > anchor ? anchor : on, quantityMilli: 1_000n, amountMinor: 0n, attributes: { code: 'litter' } }];
  });
}
