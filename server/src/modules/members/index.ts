export * from './program.ts';
export * from './enrol.ts';
