import type { StopVirtualMachineInput } from '../shared/virtual-machines.js';
import { endWithJob } from './end-with-job.js';
import { stopWhereItRuns } from './stop-where-it-runs.js';

/**
 * Stops a Running VM. When its host does not answer the VM is Running still, unless the stop is forced: then it is
 * Stopped, and the host owes the stop.
 */
export const stopVirtualMachine = (input: StopVirtualMachineInput): Promise<void> =>
  endWithJob(input, 'STOP', () => stopWhereItRuns(input));
