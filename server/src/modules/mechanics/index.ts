export * from './tier-set.ts';
export * from './program-file.ts';
export * from './publish.ts';
export * from './apply-program.ts';
export * from './export-program.ts';
export * from './save-targets.ts';
export { PRESETS, expandPreset } from './presets/index.ts';
