import type { StageRequest } from '../../shared/templates.js';
import type { Deployment } from '../../shared/virtual-machines.js';
import { vmWorkflowId } from '../../shared/workflow-ids.js';

/** As the deployment of a VM asks for its template. */
export const stageRequestOf = (deployment: Deployment): StageRequest => ({
  ...deployment,
  workflowId: vmWorkflowId(deployment.vmId),
  use: { type: 'rootDisk', volumeId: deployment.volumeId, token: deployment.token },
});
