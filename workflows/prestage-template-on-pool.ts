import { workflowInfo } from '@temporalio/workflow';
import type { PrestageRequest } from '../shared/templates.js';
import { awaitStage, listenForStages } from './await-stage.js';

/**
 * Brings a template to one pool ahead of time: joins the one download of it there, as a deployment does. A workflow of
 * its own for each pool, since who waits for a stage waits for one at a time.
 */
export async function prestageTemplateOnPool(request: PrestageRequest): Promise<void> {
  await awaitStage({ ...request, workflowId: workflowInfo().workflowId }, listenForStages());
}
