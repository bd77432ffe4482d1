import { OTHER_COMMANDS } from './cloudstack-other-commands.js';

/** What CloudStack 4.22 declares of its commands around direct download: whether they answer with a job, and their parameters. */
export interface CloudStackCommand {
  name: string;
  isAsync: boolean;
  params: CloudStackParameter[];
}

interface CloudStackParameter {
  name: string;
  type: string;
  isRequired: boolean;
  /** Characters, where a command declares another number than the 255 of all. */
  length?: number;
  since?: string;
}

/** `name type [REQUIRED] [len=N] [since=V]` of each parameter. */
const COMMANDS: Record<string, [kind: 'job' | 'answer', parameters: string]> = {
  attachIso: [
    'job',
    'customjobid string; id uuid REQUIRED; virtualmachineid uuid REQUIRED; forced boolean since=4.15.1',
  ],
  createAccount: [
    'answer',
    'account string; accounttype integer; roleid uuid; domainid uuid; email string REQUIRED; firstname string REQUIRED; lastname string REQUIRED; password string REQUIRED; timezone string; username string REQUIRED; networkdomain string; accountdetails map; accountid string; userid string',
  ],
  createNetwork: [
    'answer',
    'name string REQUIRED; displaytext string; networkofferingid uuid REQUIRED; zoneid uuid REQUIRED; physicalnetworkid uuid; gateway string; netmask string; startip string; endip string; isolatedpvlan string; isolatedpvlantype string; networkdomain string; acltype string; account string; projectid uuid; domainid uuid; subdomainaccess boolean; vpcid uuid; tungstenvirtualrouteruuid string; startipv6 string; endipv6 string; ip6gateway string; ip6cidr string; externalid string; displaynetwork boolean; aclid uuid; associatednetworkid uuid since=4.17.0; publicmtu integer since=4.18.0; privatemtu integer since=4.18.0; dns1 string since=4.18.0; dns2 string since=4.18.0; ip6dns1 string since=4.18.0; ip6dns2 string since=4.18.0; sourcenatipaddress string since=4.19; cidrsize integer since=4.20.0; asnumber long since=4.20.0',
  ],
  createServiceOffering: [
    'answer',
    'cpunumber integer; cpuspeed integer; displaytext string; provisioningtype string; memory integer; name string REQUIRED; offerha boolean; limitcpuuse boolean; isvolatile boolean; storagetype string; tags string; domainid list<uuid>; zoneid list<uuid> since=4.13; hosttags string; issystem boolean; systemvmtype string; networkrate integer; deploymentplanner string; serviceofferingdetails map; rootdisksize long since=4.15; bytesreadrate long; bytesreadratemax long; bytesreadratemaxlength long; byteswriterate long; byteswriteratemax long; byteswriteratemaxlength long; iopsreadrate long; iopsreadratemax long; iopsreadratemaxlength long; iopswriterate long; iopswriteratemax long; iopswriteratemaxlength long; customizediops boolean since=4.4; miniops long since=4.4; maxiops long since=4.4; hypervisorsnapshotreserve integer since=4.4; cachemode string since=4.14; customized boolean since=4.13; maxcpunumber integer since=4.13; mincpunumber integer since=4.13; maxmemory integer since=4.13; minmemory integer since=4.13; storagepolicy uuid since=4.15; dynamicscalingenabled boolean since=4.16; diskofferingid uuid since=4.17; diskofferingstrictness boolean since=4.17; encryptroot boolean since=4.18; purgeresources boolean since=4.20; leaseduration integer since=4.21.0; leaseexpiryaction string since=4.21.0; vgpuprofileid uuid since=4.21; gpucount integer since=4.21; gpudisplay boolean since=4.21; externaldetails map since=4.21.0',
  ],
  deleteAccount: ['job', 'customjobid string; id uuid REQUIRED'],
  deleteIso: ['job', 'customjobid string; id uuid REQUIRED; zoneid uuid'],
  deleteTemplate: [
    'job',
    'customjobid string; id uuid REQUIRED; zoneid uuid; forced boolean since=4.9+; issystem boolean since=4.20.0',
  ],
  deployVirtualMachine: [
    'job',
    'customjobid string; customid string; zoneid uuid REQUIRED; name string; displayname string; password string since=4.19.0.0; account string; domainid uuid; networkids list<uuid>; boottype string since=4.14.0.0; bootmode string since=4.14.0.0; bootintosetup boolean since=4.15.0.0; diskofferingid uuid; size long; rootdisksize long since=4.4; datadisksdetails map since=4.21.0; group string; hypervisor string; userdata string len=1048576; userdataid uuid since=4.18; userdatadetails map since=4.18; keypair string; keypairs list<string> since=4.17; hostid uuid; securitygroupids list<uuid>; securitygroupnames list<string>; iptonetworklist map; ipaddress string; ip6address string; macaddress string; keyboard string; projectid uuid; startvm boolean; affinitygroupids list<uuid>; affinitygroupnames list<string>; displayvm boolean since=4.2; details map since=4.3; deploymentplanner string since=4.4; dhcpoptionsnetworklist map; datadiskofferinglist map since=4.11; extraconfig string len=5120 since=4.12; copyimagetags boolean since=4.13; properties map since=4.15; nicnetworklist map since=4.15; dynamicscalingenabled boolean since=4.16; overridediskofferingid uuid since=4.17; iothreadsenabled boolean; iodriverpolicy string; nicmultiqueuenumber integer since=4.18; nicpackedvirtqueuesenabled boolean since=4.18; leaseduration integer since=4.21.0; leaseexpiryaction string since=4.21.0; externaldetails map since=4.21.0; serviceofferingid uuid REQUIRED; templateid uuid; volumeid uuid since=4.21; snapshotid uuid since=4.21',
  ],
  destroyVirtualMachine: [
    'job',
    'customjobid string; id uuid REQUIRED; expunge boolean since=4.2.1; volumeids list<uuid> since=4.12.0',
  ],
  detachIso: ['job', 'customjobid string; virtualmachineid uuid REQUIRED; forced boolean since=4.15.1'],
  expungeVirtualMachine: ['job', 'customjobid string; id uuid REQUIRED'],
  listApis: ['answer', 'name string'],
  listAsyncJobs: [
    'answer',
    'keyword string; page integer; pagesize integer; listall boolean; domainid uuid; isrecursive boolean; account string; startdate date; managementserverid uuid since=4.19',
  ],
  listConfigurations: [
    'answer',
    'keyword string; page integer; pagesize integer; category string; name string; zoneid uuid; clusterid uuid; storageid uuid; accountid uuid; domainid uuid; imagestoreuuid uuid; group string since=4.18.0; subgroup string since=4.18.0; parent string since=4.18.0',
  ],
  listDomains: [
    'answer',
    'keyword string; page integer; pagesize integer; id uuid; level integer; name string; listall boolean; details list<string>; showicon boolean; tag string since=4.20.0',
  ],
  listHosts: [
    'answer',
    'keyword string; page integer; pagesize integer; clusterid uuid; id uuid; name string; podid uuid; state string; type string; zoneid uuid; virtualmachineid uuid; outofbandmanagementenabled boolean; outofbandmanagementpowerstate string; resourcestate string; details list<string>; hahost boolean; hypervisor string; managementserverid uuid since=4.21.0; arch string since=4.20.1; storageaccessgroup string since=4.21.0',
  ],
  listIsos: [
    'answer',
    'keyword string; page integer; pagesize integer; listall boolean; domainid uuid; isrecursive boolean; account string; projectid uuid; tags map; bootable boolean; hypervisor string; id uuid; ispublic boolean; isready boolean; isofilter string; name string; zoneid uuid; showremoved boolean; showunique boolean since=4.13.2; showicon boolean; arch string since=4.20; oscategoryid uuid since=4.21.0',
  ],
  listNetworks: [
    'answer',
    'keyword string; page integer; pagesize integer; listall boolean; domainid uuid; isrecursive boolean; account string; projectid uuid; tags map; retrieveonlyresourcecount boolean; id uuid; name string since=4.22.0; zoneid uuid; type string; issystem boolean; acltype string; traffictype string; physicalnetworkid uuid; supportedservices list<string>; restartrequired boolean; specifyipranges boolean; vpcid uuid; canusefordeploy boolean; forvpc boolean; displaynetwork boolean since=4.4; networkofferingid uuid; associatednetworkid uuid since=4.17.0; showicon boolean; networkfilter string since=4.17.0',
  ],
  listOsTypes: [
    'answer',
    'keyword string; page integer; pagesize integer; id uuid; oscategoryid uuid; description string since=3.0.1; fordisplay boolean since=4.18.1',
  ],
  listPods: [
    'answer',
    'keyword string; page integer; pagesize integer; id uuid; name string; zoneid uuid; allocationstate string; showcapacities boolean; storageaccessgroup string since=4.21.0',
  ],
  listServiceOfferings: [
    'answer',
    'keyword string; page integer; pagesize integer; listall boolean; domainid uuid; isrecursive boolean; account string; projectid uuid; id uuid; name string; virtualmachineid uuid; issystem boolean; systemvmtype string; zoneid uuid since=4.13; cpunumber integer since=4.15; memory integer since=4.15; cpuspeed integer since=4.15; encryptroot boolean since=4.18; storagetype string since=4.19; state string since=4.19; templateid uuid since=4.20.0; vgpuprofileid uuid since=4.21.0; gpuenabled boolean since=4.21.0',
  ],
  listStoragePools: [
    'answer',
    'keyword string; page integer; pagesize integer; clusterid uuid; ipaddress string; name string; path string; podid uuid; zoneid uuid; id uuid; scope string; status string; hostid uuid; storagecustomstats boolean since=4.18.1; storageaccessgroup string since=4.21.0',
  ],
  listTemplateDirectDownloadCertificates: [
    'answer',
    'keyword string; page integer; pagesize integer; id uuid; zoneid uuid; listhosts boolean',
  ],
  listTemplates: [
    'answer',
    'keyword string; page integer; pagesize integer; listall boolean; domainid uuid; isrecursive boolean; account string; projectid uuid; tags map; hypervisor string; id uuid; ids list<uuid> since=4.9; name string; templatefilter string REQUIRED; zoneid uuid; showremoved boolean; showunique boolean since=4.13.2; parenttemplateid uuid since=4.4; details list<string> since=4.15; templatetype string since=4.19.0; isvnf boolean since=4.19.0; forcks boolean since=4.21.0; arch string since=4.20; oscategoryid uuid since=4.21.0; extensionid uuid since=4.21.0; isready boolean since=4.21.0; showicon boolean',
  ],
  listVirtualMachines: [
    'answer',
    'keyword string; page integer; pagesize integer; listall boolean; domainid uuid; isrecursive boolean; account string; projectid uuid; tags map; retrieveonlyresourcecount boolean; groupid uuid; id uuid; ids list<uuid> since=4.4; name string; state string; zoneid uuid; forvirtualnetwork boolean; networkid uuid; hypervisor string; details list<string>; templateid uuid; isoid uuid; vpcid uuid; affinitygroupid uuid; keypair string; serviceofferingid uuid since=4.4; backupofferingid uuid since=4.17; displayvm boolean since=4.4; userid uuid; securitygroupid uuid since=4.15; haenable boolean since=4.15; autoscalevmgroupid uuid since=4.18.0; showicon boolean since=4.16.0.0; accumulate boolean since=4.17.0; userdata boolean since=4.18.0.0; userdataid uuid since=4.20.1; arch string since=4.20.1; leased boolean since=4.21.0; gpuenabled boolean since=4.21.0; extensionid uuid since=4.21.0; isvnf boolean since=4.19.0',
  ],
  listZones: [
    'answer',
    'keyword string; page integer; pagesize integer; id uuid; ids list<uuid> since=4.19.0; available boolean; domainid uuid; name string; networktype string; showcapacities boolean; tags map since=4.3; showicon boolean; storageaccessgroup string since=4.21.0',
  ],
  provisionTemplateDirectDownloadCertificate: ['answer', 'id uuid REQUIRED; hostid uuid REQUIRED'],
  queryAsyncJobResult: ['answer', 'jobid uuid REQUIRED'],
  registerIso: [
    'answer',
    'bootable boolean; displaytext string len=4096; isfeatured boolean; ispublic boolean; isextractable boolean; name string REQUIRED; ostypeid uuid; url string REQUIRED len=2048; zoneid uuid REQUIRED; domainid uuid; account string; checksum string; projectid uuid; imagestoreuuid string; isdynamicallyscalable boolean; directdownload boolean; passwordenabled boolean; arch string since=4.20',
  ],
  registerTemplate: [
    'answer',
    'bits integer; displaytext string len=4096; format string REQUIRED; hypervisor string REQUIRED; isfeatured boolean; ispublic boolean; name string REQUIRED; ostypeid uuid; passwordenabled boolean; sshkeyenabled boolean; isextractable boolean; requireshvm boolean; url string REQUIRED len=2048; zoneid uuid; domainid uuid; account string; checksum string; templatetag string; projectid uuid; details map; isdynamicallyscalable boolean; isrouting boolean; zoneids list<uuid>; directdownload boolean; deployasis boolean since=4.15.1; forcks boolean since=4.21.0; templatetype string since=4.19.0; arch string since=4.20; extensionid uuid since=4.21.0; externaldetails map since=4.21.0',
  ],
  restoreVirtualMachine: [
    'job',
    'customjobid string; virtualmachineid uuid REQUIRED; templateid uuid; diskofferingid uuid since=4.19.1; rootdisksize long since=4.19.1; details map since=4.19.1; expunge boolean since=4.19.1',
  ],
  revokeTemplateDirectDownloadCertificate: [
    'answer',
    'id uuid; name string; hypervisor string; zoneid uuid REQUIRED; hostid uuid',
  ],
  startVirtualMachine: [
    'job',
    'customjobid string; id uuid REQUIRED; podid uuid; clusterid uuid; hostid uuid since=3.0.1; considerlasthost boolean since=4.18.0; deploymentplanner string since=4.4; bootintosetup boolean since=4.15.0.0',
  ],
  stopVirtualMachine: ['job', 'customjobid string; id uuid REQUIRED; forced boolean'],
  updateConfiguration: [
    'answer',
    'name string REQUIRED; value string len=4096; zoneid uuid; clusterid uuid; storageid uuid; accountid uuid; domainid uuid; imagestoreuuid uuid',
  ],
  updateStoragePool: [
    'answer',
    'id uuid REQUIRED; name string since=4.15; tags list<string>; capacityiops long; capacitybytes long; enabled boolean; details map since=4.19.0; url string since=4.19.0; istagarule boolean',
  ],
  updateTemplate: [
    'answer',
    'bootable boolean; requireshvm boolean; displaytext string len=4096; id uuid REQUIRED; name string; ostypeid uuid; forceupdateostype boolean since=4.21; format string; passwordenabled boolean; sshkeyenabled boolean; sortkey integer; isdynamicallyscalable boolean; isrouting boolean; details map; cleanupdetails boolean; arch string since=4.20; templatetype string; templatetag string since=4.20.0; forcks boolean since=4.21.0',
  ],
  uploadTemplateDirectDownloadCertificate: [
    'answer',
    'certificate string REQUIRED len=65535; name string REQUIRED; hypervisor string REQUIRED; zoneid uuid REQUIRED; hostid uuid',
  ],
};

export const CLOUDSTACK_COMMANDS: CloudStackCommand[] = Object.entries({ ...OTHER_COMMANDS, ...COMMANDS }).map(
  ([name, [kind, parameters]]) => ({
    name,
    isAsync: kind === 'job',
    params: parameters
      .split('; ')
      .map((text) => text.trim())
      .filter((text) => text !== '')
      .map(parse),
  }),
);

function parse(text: string): CloudStackParameter {
  const [name = '', type = '', ...rest] = text.split(' ');
  const value = (key: string) => rest.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
  return {
    name,
    type: type.replace(/<.*/, ''),
    isRequired: rest.includes('REQUIRED'),
    ...(value('len') === undefined ? {} : { length: Number(value('len')) }),
    ...(value('since') === undefined ? {} : { since: value('since') }),
  };
}
