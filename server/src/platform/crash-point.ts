/** Where a process may be told to die, so that a test can look at what is left. In production nothing is named and nothing happens. */
export const CRASH_POINTS = ['lines-recorded', 'facts-recorded', 'entitlements-stored', 'differences-posted', 'sales-before-commit', 'sales-after-commit', 'chunk-before-commit', 'chunk-after-commit', 'import-approved', 'hold-before-commit', 'hold-after-commit', 'close-before-commit',
  'close-after-commit', 'recalculation-before-commit', 'event-before-send', 'event-after-send', 'seal-before-commit'] as const;
/** The same along the way of an order and its payout. */
export const PAYOUT_CRASH_POINTS = ['order-before-commit', 'order-after-commit', 'export-before-commit', 'export-after-commit', 'confirm-before-commit', 'confirm-after-commit', 'reveal-before-commit', 'reveal-after-commit', 'provider-before-call', 'provider-after-call'] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number] | (typeof PAYOUT_CRASH_POINTS)[number];

const wanted = process.env['CRASH_AT'];

/** Dies here, at once and without a word, when CRASH_AT names this point. */
export function crashPoint(point: CrashPoint): void {
  if (wanted === point) process.kill(process.pid, 'SIGKILL');
}
