import { findRunningJob, type JobRow } from '../../db/jobs.js';
import { findZones } from '../../db/reads/find-deployment-parts.js';
import { findImage, type Image } from '../../db/reads/find-image.js';
import { listStoragePools } from '../../db/reads/list-storage-pools.js';
import { ANY_IMAGE, listTemplates } from '../../db/reads/list-templates.js';
import { isSlipwayError, SlipwayError } from '../../shared/errors.js';
import { imageType, isDiskFormat } from '../../shared/images.js';
import { prestageWorkflowId } from '../../shared/workflow-ids.js';
import { field } from '../protocol/fields.js';
import { required, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { templateFields } from '../responses/template.js';
import { begin, insertJob } from './async-jobs.js';
import { ADMIN_ONLY, type CommandContext, defineCommand } from './define-command.js';
import { templateResponses } from './template-responses.js';

const JOB_CMD = 'prepareTemplate';

export const prepareTemplate = defineCommand({
  name: JOB_CMD,
  description:
    'Brings a template or an ISO to a pool, or to every pool of a zone, before anything needs it there. It answers at ' +
    'once; downloaddetails tell how far each pool is, and a job, which CloudStack has not, which pools did not get it.',
  kind: 'list',
  allowedRoles: ADMIN_ONLY,
  params: {
    templateid: required(uuid('ID of the template or ISO.')),
    zoneid: required(uuid('ID of the zone.')),
    storageid: uuid('ID of the pool; every pool of the zone that hosts of its CPU architecture reach when absent.'),
  },
  response: {
    objectName: 'template',
    fields: {
      ...templateFields,
      jobid: field('string', 'ID of the job that brings it there. Slipway has this key, CloudStack has not.'),
    },
  },
  async handle({ templateid, zoneid, storageid }, context) {
    const { db, caller, command } = context;
    const image = await findImage(db, caller, templateid);
    if (!image) throw noSuchEntity(command, 'templateid', templateid);
    if ((await findZones(db, [zoneid])).length === 0) throw noSuchEntity(command, 'zoneid', zoneid);
    if (storageid) {
      const { count } = await listStoragePools(db, { id: storageid, zoneId: zoneid }, { limit: 1, offset: 0 });
      if (count === 0) throw noSuchEntity(command, 'storageid', storageid);
    }
    const filter = { isIso: !isDiskFormat(image.format), ids: [image.id], zoneId: zoneid };
    const rows = await listTemplates(db, caller, { ...ANY_IMAGE, ...filter }, { limit: 1, offset: 0 });
    if (rows.count === 0) {
      throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `${image.name} is not registered in that zone`);
    }
    const job = await prestageJob(image, { zoneId: zoneid, poolId: storageid }, context);
    begin(job, context);
    const { count, items } = await templateResponses(db, caller, rows);
    return { count, items: items.map((item) => ({ ...item, jobid: job.id })) };
  },
});

/** The job that brings it there, or the one that is already at it: the same call again is no mistake. */
async function prestageJob(
  { id: templateId, format }: Image,
  { zoneId, poolId }: { zoneId: string; poolId: string | undefined },
  context: CommandContext,
): Promise<JobRow> {
  const { db } = context;
  const workflowId = prestageWorkflowId(templateId, poolId ?? zoneId);
  try {
    return await insertJob(db, context, {
      jobCmd: JOB_CMD,
      customjobid: undefined,
      workflowType: 'prestageTemplate',
      workflowId,
      input: { templateId, zoneId, poolId },
      instanceType: imageType(format),
      instanceId: templateId,
    });
  } catch (error) {
    const isBusy = isSlipwayError(error) && error.code === 'SLIPWAY_RESOURCE_BUSY';
    const running = isBusy ? await findRunningJob(db, workflowId) : undefined;
    if (!running) throw error;
    return running;
  }
}
