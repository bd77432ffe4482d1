/**
 * One workflow id per thing that must not be worked on twice at once: starting with conflict policy FAIL makes
 * Temporal the lock. `-` joins the parts and never `/`, which the Temporal Web UI takes for a path.
 */
export const vmWorkflowId = (vmId: string): string => `vm-${vmId}`;
export const templateWorkflowId = (templateId: string): string => `template-${templateId}`;
/** Of what an operator does with a host; its life goes on meanwhile. */
export const hostStateWorkflowId = (hostId: string): string => `host-state-${hostId}`;
/** Of its own: the workflow of the job before may close a moment after that has ended. */
export const hostRemovalWorkflowId = (hostId: string): string => `host-removal-${hostId}`;
export const hostRevocationWorkflowId = (hostId: string): string => `host-revocation-${hostId}`;
/** Of what an operator does with a pool. */
export const poolStateWorkflowId = (poolId: string): string => `pool-state-${poolId}`;
export const hostWorkflowId = (hostId: string): string => `host-${hostId}`;
export const accountWorkflowId = (accountId: string): string => `account-${accountId}`;
/** Of a change of its state; it can be deleted meanwhile. */
export const accountStateWorkflowId = (accountId: string): string => `account-state-${accountId}`;
export const domainWorkflowId = (domainId: string): string => `domain-${domainId}`;
export const stageWorkflowId = (poolId: string, templateId: string, generation: number): string =>
  `stage-${poolId}-${templateId}-g${generation}`;
/**
 * Of a template and a place, which is a pool or a zone: not of the template alone, for it may take hours, in which the
 * template can be deleted or refreshed.
 */
export const prestageWorkflowId = (templateId: string, placeId: string): string => `prestage-${templateId}-${placeId}`;
export const bandwidthWorkflowId = (hostId: string): string => `bandwidth-${hostId}`;
export const reconciliationWorkflowId = (hostId: string): string => `reconcile-${hostId}`;
/** Of a copy and not of a place: the next copy there may be on its way while this one still goes. */
export const evictionWorkflowId = (spoolRefId: string): string => `evict-${spoolRefId}`;
/** The removal of a root disk that another one took the place of. */
export const volumeWorkflowId = (volumeId: string): string => `volume-${volumeId}`;
/** A question to a host; many may be asked of one VM at once. */
export const consoleWorkflowId = (questionId: string): string => `console-${questionId}`;
/** Of the change of a certificate; a later change of the same one takes its place. */
export const certificateWorkflowId = (certificateId: string): string => `certificate-${certificateId}`;
/** Of a part of a workflow's work. With the run: the children of a run that was terminated may close a moment later. */
export const partWorkflowId = (parent: { workflowId: string; runId: string }, index: number): string =>
  `${parent.workflowId}-${parent.runId.slice(0, 8)}-${index + 1}`;
