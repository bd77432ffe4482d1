import type { DeployVirtualMachineInput } from '../shared/virtual-machines.js';
import { control } from './activity-proxies.js';
import { deployOnSomeHost } from './deploy-on-some-host.js';

/** Deploys a VM on the first host that works. When there is none, or it is cancelled, the VM is in Error. */
export const deployVirtualMachine = (input: DeployVirtualMachineInput): Promise<void> =>
  deployOnSomeHost(input, {
    operation: 'CREATE',
    recordFailed: (end) => control('Error').recordDeploymentFailed({ vmId: input.vmId, jobId: input.jobId, ...end }),
  });
