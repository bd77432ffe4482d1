import { totalOf, type TestRun } from './test-totals.js';

const run = (passed: number, failed: number, unloadable: number, exitStatus: number, skipped = 0): TestRun => ({
  exitStatus,
  report: {
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: skipped,
    numRuntimeErrorTestSuites: unloadable,
  },
});

describe('test totals', () => {
  test.each<[string, TestRun[], number, { passed: number; failed: number; skipped?: number }]>([
    ['runs are added up', [run(3, 0, 0, 0), run(4, 0, 0, 0)], 0, { passed: 7, failed: 0 }],
    ['failed tests are counted', [run(3, 2, 0, 1)], 0, { passed: 3, failed: 2 }],
    ['a suite that could not be loaded is a failure', [run(3, 0, 1, 1)], 0, { passed: 3, failed: 1 }],
    [
      'a run that crashed without a report is a failure',
      [{ exitStatus: 134 }, run(1, 0, 0, 0)],
      0,
      { passed: 1, failed: 1 },
    ],
    ['a run without a report is a failure even if it says 0', [{ exitStatus: 0 }], 0, { passed: 0, failed: 1 }],
    ['a run that passed its tests and then crashed is a failure', [run(3, 0, 0, 1)], 0, { passed: 3, failed: 1 }],
    ['failed checks are failures', [run(3, 0, 0, 0)], 2, { passed: 3, failed: 2 }],
    ['skipped tests are told', [run(3, 0, 0, 0, 2), run(1, 0, 0, 0, 5)], 0, { passed: 4, failed: 0, skipped: 7 }],
    ['a run without tests adds nothing', [run(0, 0, 0, 0)], 0, { passed: 0, failed: 0 }],
  ])('%s', (_name, runs, failedChecks, expected) => {
    expect(totalOf(runs, failedChecks)).toEqual({ skipped: 0, ...expected });
  });
});
