import { findOwnVirtualMachine } from '../../db/reads/find-deployment-parts.js';
import { field } from '../protocol/fields.js';
import { required, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { defineCommand, EVERYBODY } from './define-command.js';

/** The only answer that has user data: who asks for one VM of his own wants them, who lists VMs does not. */
export const getVirtualMachineUserData = defineCommand({
  name: 'getVirtualMachineUserData',
  description: 'Answers with the user data of a virtual machine.',
  kind: 'sync',
  allowedRoles: EVERYBODY,
  params: { virtualmachineid: required(uuid('ID of the virtual machine.')) },
  response: {
    objectName: 'virtualmachineuserdata',
    fields: {
      virtualmachineuserdata: field('object', 'The user data.', {
        virtualmachineid: field('string', 'ID of the virtual machine.'),
        userdata: field('string', 'In base64; missing when there are none.'),
      }),
    },
  },
  async handle({ virtualmachineid }, { db, secretBox, caller, command }) {
    const found = await findOwnVirtualMachine(db, caller, virtualmachineid);
    if (!found) throw noSuchEntity(command, 'virtualmachineid', virtualmachineid);
    const { userDataEncrypted } = found;
    const userdata = userDataEncrypted === null ? {} : { userdata: secretBox.decrypt(userDataEncrypted) };
    return { virtualmachineuserdata: { virtualmachineid, ...userdata } };
  },
});
