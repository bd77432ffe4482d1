import { hostFields } from '../responses/host.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';
import { hostJobParameters, startHostJob } from './host-job.js';

export const declareHostAsDegraded = defineCommand({
  name: 'declareHostAsDegraded',
  description:
    'Says that a host which does not answer is fenced: nothing runs there any more. Its virtual machines are Stopped, ' +
    'and those on shared pools may be started elsewhere. To say so of a host that only cannot be reached would have two ' +
    'machines write to one disk.',
  kind: 'async',
  allowedRoles: ADMIN_ONLY,
  since: '4.16',
  params: hostJobParameters,
  response: { objectName: 'host', fields: hostFields },
  handle: ({ id, customjobid }, context) => startHostJob({ jobCmd: 'declareHostAsDegraded', id, customjobid }, context),
});
