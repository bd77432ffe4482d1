import type { Caller } from '../../db/reads/find-caller.js';
import type { ListedVolume } from '../../db/reads/list-volumes.js';
import { shownDomainPath } from '../protocol/domain-path.js';
import { apiDate } from '../protocol/envelope.js';
import { field, type ResponseOf } from '../protocol/fields.js';
import { tagFields, tagResponses } from './tag.js';

export const volumeFields = {
  id: field('string', 'ID of the volume.'),
  name: field('string', 'Name.'),
  type: field('string', 'Always ROOT.'),
  deviceid: field('long', 'Number of the disk in its machine; 0 for the root disk.'),
  size: field('long', 'Size in bytes, as the guest sees it.'),
  state: field('string', 'Allocated, or Ready once its file is there.'),
  virtualmachineid: field('string', 'ID of the virtual machine.'),
  vmname: field('string', 'Name of the virtual machine.'),
  vmdisplayname: field('string', 'Name for people of the virtual machine.'),
  vmstate: field('string', 'State of the virtual machine.'),
  zoneid: field('string', 'ID of the zone.'),
  zonename: field('string', 'Name of the zone.'),
  account: field('string', 'Account that owns it.'),
  domainid: field('string', 'ID of the domain of the account.'),
  domain: field('string', 'Name of the domain of the account.'),
  domainpath: field('string', 'Path of the domain of the account.'),
  templateid: field('string', 'ID of the template that it was made from.'),
  templatename: field('string', 'Name of the template.'),
  templatedisplaytext: field('string', 'Text of the template for people.'),
  isoid: field('string', 'ID of the ISO that it was installed from.'),
  isoname: field('string', 'Name of the ISO.'),
  isodisplaytext: field('string', 'Text of the ISO for people.'),
  serviceofferingid: field('string', 'ID of the service offering of the virtual machine.'),
  serviceofferingname: field('string', 'Name of the service offering.'),
  serviceofferingdisplaytext: field('string', 'Text of the service offering for people.'),
  diskofferingid: field('string', 'ID of the disk offering, where it was made by one.'),
  diskofferingname: field('string', 'Name of the disk offering.'),
  diskofferingdisplaytext: field('string', 'Text of the disk offering for people.'),
  hypervisor: field('string', 'KVM.'),
  provisioningtype: field('string', 'Always thin.'),
  storagetype: field('string', 'Always shared, as its offering.'),
  storageid: field('string', 'ID of the primary storage pool; for root admins.'),
  storage: field('string', 'Name of the primary storage pool; for root admins.'),
  path: field('string', 'File below the pool; for root admins.'),
  created: field('date', 'When it was made.'),
  destroyed: field('boolean', 'Whether its machine was destroyed.'),
  displayvolume: field('boolean', 'Always true.'),
  isextractable: field('boolean', 'Always false.'),
  quiescevm: field('boolean', 'Always false.'),
  tags: field('list', 'Resource tags.', tagFields),
} as const;

export function volumeResponse(row: ListedVolume, caller: Caller): ResponseOf<typeof volumeFields> {
  const { volume, vm, offering, diskOffering, template } = row;
  const isIso = template?.format === 'ISO';
  const [name, text] = [template?.name, template?.displayText];
  return {
    id: volume.id,
    name: volume.name,
    type: volume.volumeType,
    deviceid: 0,
    size: volume.sizeBytes ?? volume.wantedSizeBytes ?? template?.sizeBytes ?? undefined,
    state: volume.state,
    virtualmachineid: vm.id,
    vmname: vm.name,
    vmdisplayname: vm.displayName,
    vmstate: vm.state,
    zoneid: vm.dataCenterId,
    zonename: row.zoneName,
    account: row.accountName,
    domainid: row.domainId,
    domain: row.domainName,
    domainpath: shownDomainPath(row.domainPath),
    ...(isIso
      ? { isoid: volume.templateId, isoname: name, isodisplaytext: text }
      : { templateid: volume.templateId, templatename: name, templatedisplaytext: text }),
    serviceofferingid: offering.id,
    serviceofferingname: offering.name,
    serviceofferingdisplaytext: offering.displayText,
    diskofferingid: diskOffering?.id,
    diskofferingname: diskOffering?.name,
    diskofferingdisplaytext: diskOffering?.displayText,
    hypervisor: vm.hypervisorType,
    provisioningtype: 'thin',
    storagetype: 'shared',
    ...(caller.role === 'Admin' ? { storageid: volume.poolId, storage: row.poolName, path: volume.path } : {}),
    created: apiDate(volume.created),
    destroyed: ['Destroyed', 'Expunging', 'Expunged'].includes(vm.state),
    displayvolume: true,
    isextractable: false,
    quiescevm: false,
    tags: tagResponses(row.tags, { type: 'Volume', id: volume.id }, row),
  };
}
