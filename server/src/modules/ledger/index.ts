export * from './post-differences.ts';
export * from './read-balances.ts';
export * from './read-statement.ts';
export * from './routes.ts';
