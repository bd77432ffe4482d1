/** The one place that names task queues: a loose string would be a queue that nobody polls. */

/** All workflows, and the activities that touch PostgreSQL or plan. */
export const CONTROL_TASK_QUEUE = 'control';

/**
 * Short work on one KVM host (libvirt, image inspection, probes). Nothing waits long here, so a short
 * schedule-to-start timeout means "the host is gone".
 */
export const hostTaskQueue = (hostId: string): string => `kvm-host.${hostId}`;

/** Downloads on one KVM host: few slots, and waiting for one is normal. */
export const hostTransferTaskQueue = (hostId: string): string => `kvm-host.${hostId}.transfer`;

/**
 * What `hostLifecycle` does on one KVM host. Its slots are its own: with one queue, a host that has all its slots taken
 * by guests that shut down slowly could not be watched, and would be taken for dead.
 */
export const hostLifeTaskQueue = (hostId: string): string => `kvm-host.${hostId}.life`;
