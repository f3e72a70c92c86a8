export * from './mechanic.ts';
export * from './parse.ts';
export * from './condition-to-sql.ts';
export * from './curve-to-sql.ts';
export * from './sql-text.ts';
export * from './to-sql.ts';
export * from './to-words.ts';
export * from './pool-to-sql.ts';
