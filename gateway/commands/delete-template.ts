import { randomUUID } from 'node:crypto';
import { createJob } from '../../db/jobs.js';
import { findDeletableTemplate, findZones } from '../../db/reads/find-deployment-parts.js';
import { SlipwayError } from '../../shared/errors.js';
import { templateWorkflowId } from '../../shared/workflow-ids.js';
import { field } from '../protocol/fields.js';
import { boolean, required, uuid, withDefault } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { asyncParameters, earlierJob, jobOfCall } from './async-jobs.js';
import { defineCommand, EVERYBODY } from './define-command.js';

const JOB_CMD = 'deleteTemplate';

export const deleteTemplate = defineCommand({
  name: 'deleteTemplate',
  description:
    'Deletes a template from its zones, or from one. It fails while virtual machines use it, unless forced; then they ' +
    'go on. Copies on pools are removed when nothing stands on them any more.',
  kind: 'async',
  allowedRoles: EVERYBODY,
  params: {
    ...asyncParameters,
    id: required(uuid('ID of the template.')),
    zoneid: uuid('ID of the zone that it is deleted from; every zone when absent.'),
    forced: withDefault(
      boolean('Whether to delete it although virtual machines use it; false when absent.', { since: '4.9+' }),
      false,
    ),
    issystem: withDefault(
      boolean('Whether a SYSTEM template is meant; for root admins, false when absent.', { since: '4.20.0' }),
      false,
    ),
  },
  response: {
    objectName: 'success',
    fields: { success: field('boolean', 'Always true: a job that could not delete it has failed.') },
  },
  async handle({ id, zoneid, forced, issystem, customjobid }, context) {
    const { db, caller, command } = context;
    // Before the template is looked up: the call that deleted it may be repeated when it is gone.
    const earlier = await earlierJob(db, context, { customjobid, jobCmd: JOB_CMD, instanceId: id });
    if (earlier) return { jobid: earlier.id };
    const template = await findDeletableTemplate(db, caller, id);
    if (!template) throw noSuchEntity(command, 'id', id);
    if (!template.isOwn) {
      throw new SlipwayError(
        'SLIPWAY_PERMISSION_DENIED',
        `Unable to delete template ${template.name}: only its owner and root admins may`,
      );
    }
    if (template.type === 'SYSTEM' && !(issystem && caller.role === 'Admin')) {
      throw new SlipwayError(
        'SLIPWAY_PARAMETER_INVALID',
        'Could not delete template as it is a SYSTEM template and isSystem is set to false.',
      );
    }
    if (zoneid && (await findZones(db, [zoneid])).length === 0) throw noSuchEntity(command, 'zoneid', zoneid);
    const jobId = customjobid ?? randomUUID();
    const created = await createJob(db, {
      id: jobId,
      accountId: caller.accountId,
      userId: caller.userId,
      jobCmd: JOB_CMD,
      workflowType: 'deleteTemplate',
      workflowId: templateWorkflowId(id),
      workflowInput: { templateId: id, jobId, zoneId: zoneid, isForced: forced },
      instanceType: 'Template',
      instanceId: id,
    });
    // Two calls with one `customjobid` may have come at once.
    const job = jobOfCall(created, { jobCmd: JOB_CMD, accountId: caller.accountId, instanceId: id });
    // Not awaited: a caller need not wait for Temporal, which may be away; the row makes sure that it happens.
    void context.startJob(job);
    return { jobid: job.id };
  },
});
