import { findOwnVirtualMachine } from '../../db/reads/find-deployment-parts.js';
import { findVirtualMachine } from '../../db/reads/list-virtual-machines.js';
import { OF_A_VM, requireRoom } from '../../db/require-room.js';
import { readSettings } from '../../db/settings.js';
import { recoverDestroyed } from '../../db/virtual-machines.js';
import { requireExpungeRight } from '../auth/require-expunge-right.js';
import { field } from '../protocol/fields.js';
import { required, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { virtualMachineFields, virtualMachineResponse } from '../responses/virtual-machine.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { stillThere } from './still-there.js';

export const recoverVirtualMachine = defineCommand({
  name: 'recoverVirtualMachine',
  description: 'Makes a destroyed virtual machine a stopped one again, as long as it has not been expunged.',
  kind: 'sync',
  allowedRoles: EVERYBODY,
  params: { id: required(uuid('ID of the virtual machine.')) },
  response: {
    objectName: 'virtualmachine',
    fields: { virtualmachine: field('object', 'The virtual machine.', virtualMachineFields) },
  },
  // No workflow: nothing but its row changes, under the lock of the row.
  async handle({ id }, { db, caller, command }) {
    await requireExpungeRight(db, caller, 'Recovering a vm');
    if (!(await findOwnVirtualMachine(db, caller, id))) throw noSuchEntity(command, 'id', id);
    const settings = await readSettings(db);
    await recoverDestroyed(db, id, caller.userId, (tx, owner) => requireRoom(tx, owner, OF_A_VM, settings));
    return {
      virtualmachine: virtualMachineResponse(stillThere(await findVirtualMachine(db, id), id, { command }), caller),
    };
  },
});
