import { findOwnVirtualMachine } from '../../db/reads/find-deployment-parts.js';
import { findVirtualMachine } from '../../db/reads/list-virtual-machines.js';
import { field } from '../protocol/fields.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { required, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { nicFields, nicResponse } from '../responses/nic.js';
import { defineCommand, EVERYBODY } from './define-command.js';

export const listNics = defineCommand({
  name: 'listNics',
  description: 'Lists the network interfaces of a virtual machine, the default one first.',
  kind: 'list',
  allowedRoles: EVERYBODY,
  params: {
    ...listParameters,
    virtualmachineid: required(uuid('ID of the virtual machine.')),
    nicid: uuid('ID of the interface.'),
    networkid: uuid('ID of the network.'),
    ...unsupported({ fordisplay: { type: 'boolean', since: '4.4', harmless: 'true' } }),
  },
  response: {
    objectName: 'nic',
    fields: { ...nicFields, virtualmachineid: field('string', 'ID of the virtual machine.') },
  },
  async handle({ virtualmachineid: id, nicid, networkid, ...args }, { db, caller, command }) {
    const { limit, offset } = pageOf(args);
    const isOwn = await findOwnVirtualMachine(db, caller, id);
    const vm = isOwn && (await findVirtualMachine(db, id));
    if (!vm) throw noSuchEntity(command, 'virtualmachineid', id);
    const isMeant = (wanted: string | undefined, given: string) => wanted === undefined || wanted === given;
    const nics = vm.nics.filter((nic) => isMeant(nicid, nic.id) && isMeant(networkid, nic.networkId));
    const items = nics.slice(offset, offset + limit);
    return { count: nics.length, items: items.map((nic) => ({ ...nicResponse(nic, caller), virtualmachineid: id })) };
  },
});
