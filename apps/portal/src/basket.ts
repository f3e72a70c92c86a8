import { useSyncExternalStore } from 'react';

/** What a member means to order, kept on the device until it is ordered. An open amount is one piece of that amount. */
export type BasketLine = { reward: string; name: { pl: string; en: string }; quantity: number; amount: string | null };
const nameOf = (program: string): string => `premia.kept.basket.${program}`;
const listeners = new Set<() => void>();
const read = (program: string): string => localStorage.getItem(nameOf(program)) ?? '[]';
const linesOf = (text: string): BasketLine[] => { try { return JSON.parse(text) as BasketLine[]; } catch { return []; } };

export function useBasket(program: string): BasketLine[] {
  return linesOf(useSyncExternalStore((tell) => { listeners.add(tell); return () => listeners.delete(tell); }, () => read(program)));
}
export function saveBasket(program: string, lines: readonly BasketLine[]): void {
  localStorage.setItem(nameOf(program), JSON.stringify(lines));
  for (const tell of listeners) tell();
}
/** The same reward again is more of it; of an open amount, another amount. */
export function putIn(program: string, line: BasketLine): void {
  const lines = linesOf(read(program));
  const known = lines.find((item) => item.reward === line.reward && item.amount === null && line.amount === null);
  saveBasket(program, known ? lines.map((item) => (item === known ? { ...item, quantity: Math.min(50, item.quantity + line.quantity) } : item)) : [...lines, line]);
}
