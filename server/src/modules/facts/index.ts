export * from './record-lines.ts';
export * from './line-draft.ts';
export * from './sources.ts';
export * from './source-settings.ts';
export * from './record-activities.ts';
export * from './import/index.ts';
export * from './read-drafts.ts';
export * from './recredit-document.ts';
