/**
 * Three projects: `unit`, `temporal` (real Temporal server and PostgreSQL) and `e2e` (everything, as separate processes).
 * scripts/test says how many files of each run at once.
 */
const swc = [
  '@swc/jest',
  { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, module: { type: 'commonjs' }, sourceMaps: 'inline' },
];

const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: [],
  transform: { '^.+\\.ts$': swc },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.slipway/'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/dist/'],
};

const onPostgres = {
  ...common,
  globalSetup: '<rootDir>/tests/support/global-setup.cjs',
  globalTeardown: '<rootDir>/tests/support/global-teardown.cjs',
};

const slow = { setupFilesAfterEnv: ['<rootDir>/tests/support/long-timeout.ts'] };

const layers = [
  'activities',
  'cli',
  'client',
  'db',
  'embedded',
  'gateway',
  'kvm',
  'scripts',
  'shared',
  'workers',
  'workflows',
];

module.exports = {
  projects: [
    {
      ...onPostgres,
      displayName: 'unit',
      setupFilesAfterEnv: ['<rootDir>/tests/support/unit-timeout.ts'],
      testMatch: layers.map((layer) => `<rootDir>/${layer}/**/*.test.ts`),
    },
    { ...onPostgres, ...slow, displayName: 'temporal', testMatch: ['<rootDir>/tests/temporal/**/*.test.ts'] },
    { ...common, ...slow, displayName: 'e2e', testMatch: ['<rootDir>/tests/{e2e,faults,real}/**/*.test.ts'] },
  ],
};
