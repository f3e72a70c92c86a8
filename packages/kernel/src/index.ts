export * from './assert.ts';
export * from './refusal.ts';
export * from './decimal.ts';
export * from './day.ts';
export * from './holidays.ts';
export * from './random.ts';
export * from './identifiers.ts';
