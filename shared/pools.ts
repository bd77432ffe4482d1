/** Jobs that work on a primary storage pool. Everything here crosses Temporal: plain JSON, no secrets. */

export interface PoolJobInput {
  poolId: string;
  jobId: string;
}

/** A virtual machine of a pool that is in maintenance, or was. */
export interface PoolVirtualMachine {
  id: string;
  name: string;
  state: string;
}
