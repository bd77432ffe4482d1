import { findOwnVirtualMachine } from '../../db/reads/find-deployment-parts.js';
import { findVirtualMachine } from '../../db/reads/list-virtual-machines.js';
import { changeVirtualMachine } from '../../db/change-virtual-machine.js';
import { field } from '../protocol/fields.js';
import { required, string, uuid } from '../protocol/parameters.js';
import { checkHostName } from '../protocol/host-name.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { userData } from '../protocol/user-data.js';
import { virtualMachineFields, virtualMachineResponse } from '../responses/virtual-machine.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { stillThere } from './still-there.js';

export const updateVirtualMachine = defineCommand({
  name: 'updateVirtualMachine',
  description: 'Changes the names and the user data of a virtual machine.',
  kind: 'sync',
  allowedRoles: EVERYBODY,
  params: {
    id: required(uuid('ID of the virtual machine.')),
    displayname: string('Name for people.'),
    name: string('Host name, which the guest gets at its next start; only while the virtual machine is Stopped.', {
      since: '4.4',
    }),
    userdata: userData('What the guest finds at its next start.', { since: '4.16.0' }),
    // Nothing refers to them; they are CloudStack's ways to say what is so.
    ...withoutEffect({ cleanupdetails: { type: 'boolean' } }),
    ...unsupported({
      displayvm: { type: 'boolean', harmless: 'true' },
      group: { type: 'string' },
      haenable: { type: 'boolean' },
      ostypeid: { type: 'uuid' },
      isdynamicallyscalable: { type: 'boolean' },
      customid: { type: 'string', since: '4.4' },
      instancename: { type: 'string', since: '4.4' },
      details: { type: 'map' },
      securitygroupids: { type: 'list' },
      securitygroupnames: { type: 'list' },
      dhcpoptionsnetworklist: { type: 'map' },
      extraconfig: { type: 'string', maxLength: 5120, since: '4.12' },
      userdataid: { type: 'uuid', since: '4.18' },
      userdatadetails: { type: 'map', since: '4.18' },
      deleteprotection: { type: 'boolean', since: '4.20.0' },
      leaseduration: { type: 'integer', since: '4.21.0' },
      leaseexpiryaction: { type: 'string', since: '4.21.0' },
    }),
  },
  response: {
    objectName: 'virtualmachine',
    fields: { virtualmachine: field('object', 'The virtual machine.', virtualMachineFields) },
  },
  // No workflow: nothing but its row changes, under the lock of the row.
  async handle({ id, name, displayname, userdata }, { db, secretBox, caller, command }) {
    if (name !== undefined) checkHostName(name);
    if (!(await findOwnVirtualMachine(db, caller, id))) throw noSuchEntity(command, 'id', id);
    const userDataEncrypted = userdata === undefined ? undefined : secretBox.encrypt(userdata);
    await changeVirtualMachine(db, { id, name, displayName: displayname, userDataEncrypted, userId: caller.userId });
    return {
      virtualmachine: virtualMachineResponse(stillThere(await findVirtualMachine(db, id), id, { command }), caller),
    };
  },
});
