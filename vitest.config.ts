import { defineConfig } from 'vitest/config';

// Three lanes: `fast` for every save (npm run check), `full` with the samples, the properties and the command line on top; `screens` in a browser.
const shared = { environment: 'node', pool: 'forks' as const, testTimeout: 120_000, hookTimeout: 120_000, globalSetup: ['./tests/support/global-setup.ts'], maxWorkers: 2 };
export default defineConfig({
  test: {
    projects: [
      { test: { ...shared, name: 'fast', include: ['packages/*/src/**/*.test.ts', 'server/src/**/*.test.ts', 'tools/*.test.ts', 'tests/golden/*.test.ts', 'tests/tidy/*.test.ts'] } },
      { test: { ...shared, name: 'full', testTimeout: 900_000, hookTimeout: 600_000, include: ['tests/oracle/*.test.ts', 'tests/property/*.test.ts', 'tests/samples/*.test.ts', 'tests/stories/*.test.ts', 'tests/simulation/*.test.ts'] } },
      { test: { ...shared, name: 'screens', testTimeout: 300_000, hookTimeout: 300_000, include: ['tests/e2e/*.test.ts'] } },
    ],
  },
});
