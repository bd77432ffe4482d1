import type { Caller } from '../../db/reads/find-caller.js';
import type { ListedNic } from '../../db/reads/list-virtual-machines.js';
import { field, type ResponseOf } from '../protocol/fields.js';

export const nicFields = {
  id: field('string', 'ID of the interface.'),
  networkid: field('string', 'ID of the network.'),
  networkname: field('string', 'Name of the network.'),
  macaddress: field('string', 'MAC address.'),
  type: field('string', 'Type of the network: L2 or User.'),
  traffictype: field('string', 'Always Guest.'),
  isdefault: field('boolean', 'Whether it is the default interface.'),
  deviceid: field('string', 'Its place in the virtual machine, from 0.'),
  broadcasturi: field('string', 'The VLAN as a URI; for root admins.'),
  isolationuri: field('string', 'The VLAN as a URI; for root admins.'),
  secondaryip: field('list', 'Secondary addresses; always empty.'),
  extradhcpoption: field('list', 'DHCP options; always empty.'),
} as const;

export function nicResponse(nic: ListedNic, caller: Caller): ResponseOf<typeof nicFields> {
  const uri = caller.role === 'Admin' && nic.vlan !== null ? `vlan://${nic.vlan}` : undefined;
  return {
    id: nic.id,
    networkid: nic.networkId,
    networkname: nic.networkName,
    macaddress: nic.macAddress,
    type: nic.guestType,
    traffictype: 'Guest',
    isdefault: nic.deviceId === 0,
    deviceid: String(nic.deviceId),
    broadcasturi: uri,
    isolationuri: uri,
    secondaryip: [],
    extradhcpoption: [],
  };
}
