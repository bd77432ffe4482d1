import { unlessEnded } from '../../../client/unless-ended.js';
import { hostWorkflowId } from '../../../shared/workflow-ids.js';
import type { ControlDependencies } from '../dependencies.js';
import { tellDown } from './mark-host.js';

/** Tells whoever works with a host that was revoked. What they do next about it the database decides. */
export const cutOffHost =
  (dependencies: ControlDependencies) =>
  async ({ hostId }: { hostId: string }): Promise<void> => {
    const life = dependencies.client.workflow.getHandle(hostWorkflowId(hostId));
    await unlessEnded(life.signal('hostRevoked'));
    await tellDown(dependencies, { hostId });
  };
