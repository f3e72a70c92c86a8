/** A seeded source of numbers: the same seed tells the same story on every machine. */
export type Dice = { next(): number; below(n: number): number; between(low: number, high: number): number; pick<T>(of: readonly T[]): T; shuffle<T>(of: readonly T[]): T[] };

/** mulberry32: 32 bits of state, good enough to make believable data, never for secrets. */
export function dice(seed: number): Dice {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (n: number): number => Math.floor(next() * n);
  return {
    next, below,
    between: (low, high) => low + below(high - low + 1),
    pick: (of) => {
      const found = of[below(of.length)];
      if (found === undefined) throw new Error('pick from nothing');
      return found;
    },
    shuffle: (of) => {
      const copy = [...of];
      for (let i = copy.length - 1; i > 0; i -= 1) {
        const j = below(i + 1);
        [copy[i], copy[j]] = [copy[j] as never, copy[i] as never];
      }
      return copy;
    },
  };
}
