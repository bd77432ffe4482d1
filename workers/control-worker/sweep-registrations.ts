import type { ControlDependencies } from '../../activities/control/dependencies.js';
import { isWorkflowRunning } from '../../client/is-workflow-running.js';
import { abandonedRegistrations, abandonTemplate } from '../../db/templates.js';
import { templateWorkflowId } from '../../shared/workflow-ids.js';

/** Longer than any registration can take. */
const ABANDONED_AFTER_SECONDS = 120;

/** Removes templates that began to register and whose workflow is not there to end it. */
export async function sweepRegistrations({ db, client }: Pick<ControlDependencies, 'db' | 'client'>): Promise<void> {
  for (const templateId of await abandonedRegistrations(db, ABANDONED_AFTER_SECONDS)) {
    if (!(await isWorkflowRunning(client, templateWorkflowId(templateId)))) await abandonTemplate(db, templateId);
  }
}
