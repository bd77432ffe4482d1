import type { DeployVirtualMachineInput } from '../shared/virtual-machines.js';
import { control } from './activity-proxies.js';
import { deployOnSomeHost } from './deploy-on-some-host.js';

/**
 * Starts for the first time a VM that was made without being started: it has no disk yet, and gets it as a VM that is
 * deployed. Failed or cancelled, it is Stopped as before, with nothing on any host, and may be started again.
 */
export const startNewVirtualMachine = (input: DeployVirtualMachineInput): Promise<void> =>
  deployOnSomeHost(input, {
    operation: 'START',
    recordFailed: (end) =>
      control('Stopped').recordOperationFailed({ vmId: input.vmId, jobId: input.jobId, operation: 'START', ...end }),
  });
