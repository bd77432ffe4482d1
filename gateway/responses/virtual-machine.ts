import type { Caller } from '../../db/reads/find-caller.js';
import type { ListedVirtualMachine } from '../../db/reads/list-virtual-machines.js';
import { SOMETHING_FAILED } from '../../shared/owner-text.js';
import { apiDate } from '../protocol/envelope.js';
import { shownDomainPath } from '../protocol/domain-path.js';
import { field, type ResponseOf } from '../protocol/fields.js';
import { nicFields, nicResponse } from './nic.js';
import { tagFields, tagResponses } from './tag.js';

export const virtualMachineFields = {
  id: field('string', 'ID of the virtual machine.'),
  name: field('string', 'Name, a host name.'),
  displayname: field('string', 'Name for people.'),
  account: field('string', 'Account that owns it.'),
  domainid: field('string', 'ID of the domain of the account.'),
  domain: field('string', 'Name of the domain of the account.'),
  domainpath: field('string', 'Path of the domain of the account.'),
  created: field('date', 'When it was asked for.'),
  state: field('string', 'Starting, Running, Stopping, Stopped, Destroyed, Expunging or Error.'),
  errortext: field(
    'string',
    'Why it is in Error: every host that was tried, with its reason. Slipway has this key, CloudStack has not.',
  ),
  haenable: field('boolean', 'Always false.'),
  zoneid: field('string', 'ID of the zone.'),
  zonename: field('string', 'Name of the zone.'),
  hostid: field('string', 'ID of the host it runs on; for root admins.'),
  hostname: field('string', 'Name of the host it runs on; for root admins.'),
  hoststatus: field(
    'string',
    'Status of the host it runs on: while that is Down nobody knows how it is. Slipway has this key, CloudStack has not.',
  ),
  templateid: field('string', 'ID of the template it was made from.'),
  templatename: field('string', 'Name of the template.'),
  templatedisplaytext: field('string', 'Display text of the template.'),
  templateformat: field('string', 'Format of the template.'),
  templatetype: field('string', 'Type of the template.'),
  passwordenabled: field('boolean', 'Always false.'),
  serviceofferingid: field('string', 'ID of the service offering.'),
  serviceofferingname: field('string', 'Name of the service offering.'),
  cpunumber: field('integer', 'Virtual CPUs.'),
  cpuspeed: field('integer', 'MHz of each virtual CPU.'),
  memory: field('integer', 'MiB of memory.'),
  guestosid: field('string', 'ID of the OS type.'),
  ostypeid: field('string', 'ID of the OS type.'),
  osdisplayname: field('string', 'Name of the OS type.'),
  rootdeviceid: field('long', 'Always 0.'),
  rootdevicetype: field('string', 'Always ROOT.'),
  hypervisor: field('string', 'Always KVM.'),
  instancename: field('string', 'Name of the libvirt domain; for root admins.'),
  displayvm: field('boolean', 'Always true.'),
  isdynamicallyscalable: field('boolean', 'Always false.'),
  arch: field('string', 'CPU architecture.'),
  isoid: field('string', 'ID of the ISO in its drive.'),
  isoname: field('string', 'Name of the ISO.'),
  isodisplaytext: field('string', 'Display text of the ISO.'),
  diskofferingid: field('string', 'ID of the offering of its root disk, when it was installed from an ISO.'),
  diskofferingname: field('string', 'Name of that offering.'),
  keypairs: field('string', 'Names of the SSH key pairs it was deployed with, comma separated.'),
  nic: field('list', 'Network interfaces, the default one first.', nicFields),
  securitygroup: field('list', 'Security groups; always empty.'),
  affinitygroup: field('list', 'Affinity groups; always empty.'),
  tags: field('list', 'Resource tags.', tagFields),
} as const;

/** Hosts and libvirt's names are the operator's business: only a root admin sees them. */
export function virtualMachineResponse(
  row: ListedVirtualMachine,
  caller: Caller,
): ResponseOf<typeof virtualMachineFields> {
  const { vm, template, offering } = row;
  const operator =
    caller.role === 'Admin' ? { hostid: vm.hostId, hostname: row.hostName, instancename: vm.instanceName } : {};
  return {
    id: vm.id,
    name: vm.name,
    displayname: vm.displayName,
    account: row.accountName,
    domainid: row.domainId,
    domain: row.domainName,
    domainpath: shownDomainPath(row.domainPath),
    created: apiDate(vm.created),
    state: vm.state,
    errortext: vm.state === 'Error' ? errorText(vm, caller) : undefined,
    haenable: false,
    zoneid: vm.dataCenterId,
    zonename: row.zoneName,
    ...operator,
    hoststatus: row.hostStatus,
    templateid: vm.templateId,
    templatename: template.name,
    templatedisplaytext: template.displayText,
    templateformat: template.format,
    templatetype: template.type,
    passwordenabled: false,
    serviceofferingid: offering.id,
    serviceofferingname: offering.name,
    cpunumber: offering.cpu,
    cpuspeed: offering.speedMhz,
    memory: offering.ramMb,
    guestosid: row.guestOsId,
    ostypeid: row.guestOsId,
    osdisplayname: row.guestOsName,
    rootdeviceid: 0,
    rootdevicetype: 'ROOT',
    hypervisor: vm.hypervisorType,
    displayvm: true,
    isdynamicallyscalable: false,
    arch: template.arch,
    isoid: vm.isoId,
    isoname: row.iso?.name,
    isodisplaytext: row.iso?.displayText,
    diskofferingid: row.diskOffering?.id,
    diskofferingname: row.diskOffering?.name,
    keypairs: vm.keyPairNames.length > 0 ? vm.keyPairNames.join(',') : undefined,
    nic: row.nics.map((nic) => nicResponse(nic, caller)),
    securitygroup: [],
    affinitygroup: [],
    tags: tagResponses(row.tags, { type: 'UserVm', id: vm.id }, row),
  };
}

/** Hosts, pools and what sources answered are for root admins; an earlier release has a text for them only. */
const errorText = ({ errorText: text, errorOwnerText }: ListedVirtualMachine['vm'], { role }: Caller): string | null =>
  role === 'Admin' ? text : (errorOwnerText ?? SOMETHING_FAILED);
