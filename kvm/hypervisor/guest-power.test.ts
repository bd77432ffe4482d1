import { powerOff } from './guest-power.js';
import type { FoundDomain } from './find-domains.js';

const GUEST: FoundDomain = { uuid: 'vm', name: 'guest', state: 'Running', mark: undefined };

/** Its guest is off as soon as it is asked, or never: nobody knows the moment of a real one. */
function hypervisor(isObliging: boolean) {
  let isOff = false;
  const run = () => {
    isOff = isObliging;
    return Promise.resolve('');
  };
  return {
    uri: 'test:///default',
    virsh: { run, runAll: () => Promise.reject(new Error('not asked')) },
    domains: { find: () => Promise.resolve(isOff ? undefined : GUEST) },
  };
}

test.each([
  ['not force a guest that powered off just before the time was over', true],
  ['give up a guest that did not', false],
])('should %s', async (_name, isObliging) => {
  expect(await powerOff(hypervisor(isObliging), 'vm', { isForced: false, timeoutMs: 0 })).toBe(isObliging);
});
