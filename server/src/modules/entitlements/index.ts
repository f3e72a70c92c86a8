export * from './record-sales.ts';
export * from './apply-program.ts';
export * from './verify.ts';
export * from './approve-import.ts';
export * from './explain.ts';
export * from './routes.ts';
export * from './settle-pools.ts';
export * from './record-inputs.ts';
