export * from './stage-import.ts';
export * from './mend-import.ts';
export * from './reasons.ts';
export * from './read-row.ts';
export * from './read-number.ts';
export * from './read-date.ts';
export * from './propose-mapping.ts';
export { LOAD_CHUNK, IMPORT_LANES, MAKE_PRODUCTS_OF_IMPORT, OPEN_CHUNKS, STORE_OUTCOMES } from './queries.ts';
