import { findListedJob, listJobs } from '../../db/reads/list-jobs.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { date, required, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { jobFields, jobResponses } from '../responses/job.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { scopeOf, scopeParameters } from './list-scope.js';

export const queryAsyncJobResult = defineCommand({
  name: 'queryAsyncJobResult',
  description: 'Tells how a job stands. A job is kept whatever happens to the history of its workflow.',
  kind: 'sync',
  allowedRoles: EVERYBODY,
  params: { jobid: required(uuid('ID of the job.')) },
  response: { objectName: 'asyncjobs', fields: jobFields },
  async handle({ jobid }, { db, caller, command }) {
    const row = await findListedJob(db, caller, jobid);
    if (!row) throw noSuchEntity(command, 'jobid', jobid);
    const [job] = await jobResponses(db, caller, [row]);
    return job!;
  },
});

export const listAsyncJobs = defineCommand({
  name: 'listAsyncJobs',
  description: 'Lists jobs, the latest first: those under way, and those that ended within job.expire.minutes.',
  kind: 'list',
  allowedRoles: EVERYBODY,
  params: {
    ...listParameters,
    ...scopeParameters,
    startdate: date('Only those that began then or later.'),
    ...unsupported({ managementserverid: { type: 'uuid', since: '4.19' } }),
  },
  response: { objectName: 'asyncjobs', fields: jobFields },
  async handle(args, context) {
    const { db, caller } = context;
    const scope = await scopeOf(args, context, { hasId: false });
    const filter = { scope, from: args.startdate, keyword: args.keyword };
    const { count, rows } = await listJobs(db, caller, filter, pageOf(args));
    return { count, items: await jobResponses(db, caller, rows) };
  },
});
