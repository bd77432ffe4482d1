import type { StartVirtualMachineInput } from '../shared/virtual-machines.js';
import { endWithJob } from './end-with-job.js';
import { startOnSomeHost } from './start-on-some-host.js';

/**
 * Starts a Stopped VM: on the host of its disk's pool, or when several hosts share the pool on the best of them. Failed or
 * cancelled, the VM is Stopped again.
 */
export const startVirtualMachine = (input: StartVirtualMachineInput): Promise<void> =>
  endWithJob(input, 'START', () => startOnSomeHost(input));
