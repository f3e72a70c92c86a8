/** Stops a program that no longer is what its author believed. For bad input from outside, refuse instead. */
export function assert(holds: unknown, what: string): asserts holds {
  if (!holds) throw new Error(`assertion failed: ${what}`);
}

/** The value, or a stop: for what cannot be missing. */
export function must<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new Error(`missing: ${what}`);
  return value;
}
