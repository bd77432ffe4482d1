import type { ListedHost } from '../../db/reads/list-hosts.js';
import { HOST_RESOURCE_STATES, HOST_STATUSES } from '../../db/schema/index.js';
import type { SettingValues } from '../../shared/settings.js';
import { apiDate } from '../protocol/envelope.js';
import { field, type ResponseOf } from '../protocol/fields.js';

export const hostFields = {
  id: field('string', 'ID of the host.'),
  name: field('string', 'Name.'),
  ipaddress: field('string', 'The address that it reaches Temporal from, as it says.'),
  state: field('string', `${HOST_STATUSES.join(', ')}.`),
  type: field('string', 'Always Routing.'),
  zoneid: field('string', 'ID of the zone.'),
  zonename: field('string', 'Name of the zone.'),
  podid: field('string', 'ID of the pod.'),
  podname: field('string', 'Name of the pod.'),
  clusterid: field('string', 'ID of the cluster.'),
  clustername: field('string', 'Name of the cluster.'),
  hypervisor: field('string', 'Always KVM.'),
  hypervisorversion: field('string', 'Version of QEMU as the host reports it.'),
  domaintype: field(
    'string',
    'kvm, or qemu where KVM cannot be used (slower). Slipway has this key, CloudStack has not.',
  ),
  cpunumber: field('integer', 'CPUs.'),
  cpuspeed: field('long', 'MHz of each CPU.'),
  cpuallocatedvalue: field('long', 'MHz that virtual machines hold.'),
  cpuallocated: field('string', 'The same in per cent.'),
  cpuwithoverprovisioning: field('string', 'MHz that may be promised, by the setting cpu.overprovisioning.factor.'),
  cpuallocatedwithoverprovisioning: field('string', 'What virtual machines hold of that, in per cent.'),
  cpuallocatedpercentage: field('string', 'The same.'),
  memorytotal: field('long', 'Bytes of memory.'),
  memorywithoverprovisioning: field(
    'string',
    'Bytes that may be promised, by the setting mem.overprovisioning.factor.',
  ),
  memoryallocatedpercentage: field('string', 'What virtual machines hold of that, in per cent.'),
  memoryallocated: field('long', 'Bytes of memory that virtual machines hold.'),
  memoryallocatedbytes: field('long', 'Bytes of memory that virtual machines hold.'),
  lastpinged: field('date', 'When the host was last heard of.'),
  created: field('date', 'When the host was added.'),
  resourcestate: field('string', `${HOST_RESOURCE_STATES.join(', ')}.`),
  hosttags: field('string', 'Tags, comma separated.'),
  arch: field('string', 'CPU architecture.'),
  version: field('string', 'Version of Slipway that the host runs.'),
  details: field('map', 'Facts of the host; keys of Slipway.', {
    'libvirt.version': field('string', 'Version of libvirt.'),
    'tools.missing': field('string', 'Programs and libraries that it lacks for some images or networks.'),
    'version.skew': field(
      'string',
      'How its version of Slipway differs from that of the control workers, if it matters.',
    ),
  }),
  islocalstorageactive: field('boolean', 'Always true.'),
} as const;

export function hostResponse(row: ListedHost, settings: SettingValues): ResponseOf<typeof hostFields> {
  const { host } = row;
  const cpuFactor = Number(settings['cpu.overprovisioning.factor']);
  const memoryFactor = Number(settings['mem.overprovisioning.factor']);
  const [mhz, ramBytes] = [host.cpus * host.speedMhz * cpuFactor, host.ramBytes * memoryFactor];
  return {
    id: host.id,
    name: host.name,
    ipaddress: host.privateIpAddress ?? undefined,
    state: host.status,
    type: host.type,
    zoneid: host.dataCenterId,
    zonename: row.zoneName,
    podid: host.podId,
    podname: row.podName,
    clusterid: host.clusterId,
    clustername: row.clusterName,
    hypervisor: host.hypervisorType,
    hypervisorversion: host.hypervisorVersion,
    domaintype: host.domainType,
    cpunumber: host.cpus,
    cpuspeed: host.speedMhz,
    cpuallocatedvalue: host.cpuUsedMhz,
    cpuallocated: percent(host.cpuUsedMhz, host.cpus * host.speedMhz),
    cpuwithoverprovisioning: String(Math.floor(mhz)),
    cpuallocatedwithoverprovisioning: percent(host.cpuUsedMhz, mhz),
    cpuallocatedpercentage: percent(host.cpuUsedMhz, mhz),
    memorytotal: host.ramBytes,
    memorywithoverprovisioning: String(Math.floor(ramBytes)),
    memoryallocatedpercentage: percent(host.ramUsedBytes, ramBytes),
    memoryallocated: host.ramUsedBytes,
    memoryallocatedbytes: host.ramUsedBytes,
    lastpinged: apiDate(host.lastPinged),
    created: apiDate(host.created),
    resourcestate: host.resourceState,
    // CloudStack has no such key where there is none: of an empty text clients make one tag without a name.
    hosttags: host.tags.join(',') || undefined,
    arch: host.arch,
    version: host.slipwayVersion,
    details: detailsOf(host),
    islocalstorageactive: true,
  };
}

function detailsOf({ libvirtVersion, missingTools, versionSkew }: ListedHost['host']): Record<string, string> {
  const details = {
    'libvirt.version': libvirtVersion,
    'tools.missing': missingTools.join(', ') || null,
    'version.skew': versionSkew,
  };
  return Object.fromEntries(Object.entries(details).filter((detail): detail is [string, string] => detail[1] !== null));
}

/** A host that has not said hello yet has no capacity to take a share of. */
const percent = (part: number, whole: number): string => `${(whole === 0 ? 0 : (100 * part) / whole).toFixed(2)}%`;
