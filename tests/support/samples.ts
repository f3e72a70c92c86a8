import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Real and hostile input lies beside the project and is never committed; tests that need it skip, loudly, where it is absent. */
export const SAMPLES = join(import.meta.dirname, '../../../shared/samples');
if (!existsSync(SAMPLES)) console.warn(`\n*** The samples are not at ${SAMPLES}: tests over them are SKIPPED. ***\n`);
