export * from './post-differences.ts';
export * from './read-balances.ts';
