/**
 * `node dist/scripts/print-test-totals.js FAILED_CHECKS STATUS=REPORT...`: prints `N passed, N failed` for jest runs,
 * each given by its exit status and the path of its `--json` file. Exits 1 when anything failed.
 */
import { readFileSync } from 'node:fs';
import { totalOf, type TestRun } from './test-totals.js';

function readRun(argument: string): TestRun {
  const separator = argument.indexOf('=');
  const exitStatus = Number(argument.slice(0, separator));
  try {
    const report = JSON.parse(readFileSync(argument.slice(separator + 1), 'utf8')) as NonNullable<TestRun['report']>;
    return { exitStatus, report };
  } catch {
    return { exitStatus };
  }
}

const [failedChecks, ...runs] = process.argv.slice(2);
const { passed, failed, skipped } = totalOf(runs.map(readRun), Number(failedChecks));
// Before the last line, whose form others read: what was not run has proved nothing.
if (skipped > 0) console.log(`${skipped} skipped, for want of root or of a program that setup could not install`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
