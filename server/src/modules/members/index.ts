export * from './program.ts';
export * from './enrol.ts';
export * from './find-member.ts';
export * from './save-members.ts';
