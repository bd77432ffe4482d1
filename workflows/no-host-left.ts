import { causesOf, describeHostFailures, type Failure, type HostFailure } from '../shared/failures.js';

/** Every host that was tried with its reason, and every other with why it was not. */
export function noHostLeft(
  untried: string,
  failures: HostFailure[],
  refused: { hostName: string; reason: string }[],
): Failure {
  const others = refused.map(({ hostName, reason }) => `${hostName}: ${reason}`).join('\n');
  if (failures.length === 0) {
    return { code: 'SLIPWAY_NO_HOST', message: `${untried}${others === '' ? ': there is none' : `.\n${others}`}` };
  }
  const tried = `No host is left for the virtual machine. Tried:\n${describeHostFailures(failures)}`;
  const message = others === '' ? tried : `${tried}\nNot tried:\n${others}`;
  return { code: 'SLIPWAY_NO_HOST_LEFT', message, causes: causesOf(failures) };
}
