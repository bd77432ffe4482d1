import { findOwnVirtualMachine } from '../../db/reads/find-deployment-parts.js';
import { resetKeys } from '../../db/reset-keys.js';
import { invalid } from '../protocol/invalid.js';
import { names, required, string, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { virtualMachineFields } from '../responses/virtual-machine.js';
import { asyncParameters, earlierJob } from './async-jobs.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { keyPairsOf } from './deploy-virtual-machine/key-pairs.js';
import { doneAtOnce } from './done-at-once.js';
import { onBehalfOf } from './on-behalf-of.js';

export const resetSSHKeyForVirtualMachine = defineCommand({
  name: 'resetSSHKeyForVirtualMachine',
  description:
    'Gives a stopped virtual machine other SSH keys in place of those it has. At its next start the guest is told that it is ' +
    'a new one: cloud-init takes the keys, and does once more what it does at a first boot, user data included.',
  kind: 'async',
  allowedRoles: EVERYBODY,
  params: {
    ...asyncParameters,
    id: required(uuid('ID of the virtual machine.')),
    keypair: string('Name of an SSH key pair.'),
    keypairs: names('Names of SSH key pairs, comma separated.', { since: '4.17' }),
    account: string(
      'Name of the account that has them, for administrators; together with domainid. The caller when absent.',
    ),
    domainid: uuid('ID of the domain of that account.'),
    ...unsupported({ projectid: { type: 'uuid' } }),
  },
  response: { objectName: 'virtualmachine', fields: virtualMachineFields },
  async handle({ id, customjobid, ...args }, context) {
    const { db, caller, command } = context;
    const call = {
      jobCmd: 'resetSSHKeyForVirtualMachine',
      customjobid,
      instanceType: 'VirtualMachine',
      instanceId: id,
    };
    // Before anything is looked up: the call may be repeated when the VM or a key pair is gone.
    const earlier = await earlierJob(db, context, call);
    if (earlier) return { jobid: earlier.id };
    if (!(await findOwnVirtualMachine(db, caller, id))) throw noSuchEntity(command, 'id', id);
    const keyPairs = await keyPairsOf(args, { ...context, caller: await onBehalfOf(args, context) });
    if (keyPairs.length === 0) throw invalid('Give the name of an SSH key pair as keypair or keypairs');
    return doneAtOnce(call, context, async (tx, jobId) => {
      await resetKeys(tx, { vmId: id, keyPairs, userId: caller.userId, jobId });
      return true;
    });
  },
});
