/**
 * Three projects. `unit` runs in parallel. `temporal` (real Temporal server and PostgreSQL) and `e2e` (everything,
 * as separate processes) run one file at a time: they share two cores' worth of servers.
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

const layers = ['activities', 'cli', 'client', 'db', 'embedded', 'gateway', 'kvm', 'scripts', 'shared', 'workers', 'workflows'];

module.exports = {
  projects: [
    { ...common, displayName: 'unit', testMatch: layers.map((layer) => `<rootDir>/${layer}/**/*.test.ts`) },
    { ...common, displayName: 'temporal', testMatch: ['<rootDir>/tests/temporal/**/*.test.ts'] },
    { ...common, displayName: 'e2e', testMatch: ['<rootDir>/tests/{e2e,faults}/**/*.test.ts'] },
  ],
};
