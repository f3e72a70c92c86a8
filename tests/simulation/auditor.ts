import { addDays, type Day } from '@premia/kernel';

/** What happened in the world, as it happened: nothing of windows kept, lots, SQL or order of arrival. */
export type Sale = { number: string; member: string; on: Day; net: number; base: string | null };
export type Quiz = { reference: string; member: string; on: Day };

/**
 * The auditor owes by plain loops over everything that ever happened: `rate` points for every full 100 zł of a document after its
 * corrections; 100 for a month at its target, 50 more at 120 %; a star for a quiz, until the last day of the month after it.
 */
export class Auditor {
  rate = 5;
  readonly sales: Sale[] = [];
  readonly quizzes: Quiz[] = [];
  readonly targets = new Map<string, number>();
  readonly spent = new Map<string, number>();
  readonly held = new Map<string, number>();

  root(sale: Sale): Sale {
    const base = this.sales.find((item) => item.number === sale.base);
    return base ? this.root(base) : sale;
  }

  owed(member: string): number {
    const documents = new Map<string, number>();
    const months = new Map<string, number>();
    for (const sale of this.sales) {
      const root = this.root(sale);
      if (root.member !== member) continue;
      documents.set(root.number, (documents.get(root.number) ?? 0) + sale.net);
      months.set(root.on.slice(0, 7), (months.get(root.on.slice(0, 7)) ?? 0) + sale.net);
    }
    const points = [...documents.values()].reduce((sum, net) => sum + this.rate * Math.trunc(net / 100), 0);
    return [...months].reduce((sum, [month, net]) => {
      const target = this.targets.get(`${member} ${month}`);
      if (target === undefined) return sum;
      return sum + (net * 100 >= target * 120 ? 150 : net >= target ? 100 : 0);
    }, points);
  }

  total(member: string): number { return this.owed(member) - (this.spent.get(member) ?? 0); }
  stars(member: string, today: Day): number { return this.quizzes.filter((quiz) => quiz.member === member && today <= lastDay(quiz.on, 1)).length; }
}

/** The last day of a day's month, or of a month so many later. */
export function lastDay(day: Day, later = 0): Day {
  const [year, month] = day.split('-').map(Number) as [number, number];
  const next = year * 12 + month + later;
  return addDays(`${Math.floor(next / 12)}-${String((next % 12) + 1).padStart(2, '0')}-01`, -1);
}
