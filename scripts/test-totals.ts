/** What one jest run left behind: its exit status, and its `--json` file parsed, if it lived to write one. */
export interface TestRun {
  exitStatus: number;
  report?: {
    numPassedTests: number;
    numFailedTests: number;
    numPendingTests: number;
    numRuntimeErrorTestSuites: number;
  };
}

export interface TestTotals {
  passed: number;
  failed: number;
  /** For want of root, or of a server that could not be installed. */
  skipped: number;
}

/** A suite that could not be loaded, and a run that crashed, count as one failure: neither reports a failed test. */
export function totalOf(runs: TestRun[], failedChecks: number): TestTotals {
  const totals: TestTotals = { passed: 0, failed: failedChecks, skipped: 0 };
  for (const { exitStatus, report } of runs) {
    const failed = report ? report.numFailedTests + report.numRuntimeErrorTestSuites : 0;
    totals.passed += report?.numPassedTests ?? 0;
    totals.skipped += report?.numPendingTests ?? 0;
    totals.failed += failed === 0 && (exitStatus !== 0 || !report) ? 1 : failed;
  }
  return totals;
}
