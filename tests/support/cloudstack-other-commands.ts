/**
 * What CloudStack 4.21 says in listApis of commands that Slipway has beside those around direct download; as
 * `cloudstack-commands.ts` writes it.
 */
export const OTHER_COMMANDS: Record<string, [kind: 'job' | 'answer', parameters: string]> = {
  addCluster: [
    'answer',
    'clustername string REQUIRED; clustertype string REQUIRED; hypervisor string REQUIRED; podid uuid REQUIRED; zoneid uuid REQUIRED; allocationstate string; arch string since=4.20; extensionid uuid since=4.21.0; externaldetails map since=4.21.0; guestvswitchname string; guestvswitchtype string; ovm3cluster string; ovm3pool string; ovm3vip string; password string; publicvswitchname string; publicvswitchtype string; storageaccessgroups list since=4.21.0; url string; username string; vsmipaddress string; vsmpassword string; vsmusername string',
  ],
  archiveEvents: ['answer', 'enddate date; ids list; startdate date; type string'],
  cancelHostAsDegraded: ['job', 'id uuid REQUIRED'],
  cancelHostMaintenance: ['job', 'id uuid REQUIRED'],
  cancelStorageMaintenance: ['job', 'id uuid REQUIRED'],
  changeServiceForVirtualMachine: [
    'answer',
    'id uuid REQUIRED; serviceofferingid uuid REQUIRED; automigrate boolean since=4.17; details map; maxiops long since=4.17; miniops long since=4.17; shrinkok boolean since=4.17',
  ],
  createConsoleEndpoint: ['answer', 'virtualmachineid uuid REQUIRED; token string'],
  createDiskOffering: [
    'answer',
    'name string REQUIRED; bytesreadrate long; bytesreadratemax long; bytesreadratemaxlength long; byteswriterate long; byteswriteratemax long; byteswriteratemaxlength long; cachemode string since=4.14; customized boolean; customizediops boolean; details map since=4.16; disksize long; disksizestrictness boolean since=4.17; displayoffering boolean; displaytext string len=4096; domainid list; encrypt boolean since=4.18; hypervisorsnapshotreserve integer; iopsreadrate long; iopsreadratemax long; iopsreadratemaxlength long; iopswriterate long; iopswriteratemax long; iopswriteratemaxlength long; maxiops long; miniops long; provisioningtype string; storagepolicy uuid since=4.15; storagetype string; tags string len=4096; zoneid list since=4.13',
  ],
  createDomain: ['answer', 'name string REQUIRED; domainid string; networkdomain string; parentdomainid uuid'],
  createPod: [
    'answer',
    'name string REQUIRED; zoneid uuid REQUIRED; allocationstate string; endip string; gateway string; netmask string; startip string; storageaccessgroups list since=4.21.0',
  ],
  createSSHKeyPair: ['answer', 'name string REQUIRED; account string; domainid uuid; projectid uuid'],
  createStoragePool: [
    'answer',
    'name string REQUIRED; url string REQUIRED; zoneid uuid REQUIRED; capacitybytes long; capacityiops long; clusterid uuid; details map; hypervisor string; istagarule boolean; managed boolean; podid uuid; provider string; scope string; storageaccessgroups string since=4.21.0; tags string',
  ],
  createTags: ['job', 'resourceids list REQUIRED; resourcetype string REQUIRED; tags map REQUIRED; customer string'],
  createUser: [
    'answer',
    'account string REQUIRED; email string REQUIRED; firstname string REQUIRED; lastname string REQUIRED; password string REQUIRED; username string REQUIRED; domainid uuid; timezone string; userid string',
  ],
  createZone: [
    'answer',
    'dns1 string REQUIRED; internaldns1 string REQUIRED; name string REQUIRED; networktype string REQUIRED; allocationstate string; dns2 string; domain string; domainid uuid; guestcidraddress string; internaldns2 string; ip6dns1 string; ip6dns2 string; isedge boolean since=4.18.0; localstorageenabled boolean; securitygroupenabled boolean; storageaccessgroups list since=4.21.0',
  ],
  declareHostAsDegraded: ['job', 'id uuid REQUIRED'],
  deleteCluster: ['answer', 'id uuid REQUIRED'],
  deleteDiskOffering: ['answer', 'id uuid REQUIRED'],
  deleteDomain: ['job', 'id uuid REQUIRED; cleanup boolean'],
  deleteEvents: ['answer', 'enddate date; ids list; startdate date; type string'],
  deleteHost: ['answer', 'id uuid REQUIRED; forced boolean; forcedestroylocalstorage boolean'],
  deleteNetwork: ['job', 'id uuid REQUIRED; forced boolean'],
  deletePod: ['answer', 'id uuid REQUIRED'],
  deleteSSHKeyPair: ['answer', 'name string REQUIRED; account string; domainid uuid; projectid uuid'],
  deleteServiceOffering: ['answer', 'id uuid REQUIRED'],
  deleteStoragePool: ['answer', 'id uuid REQUIRED; forced boolean'],
  deleteTags: ['job', 'resourceids list REQUIRED; resourcetype string REQUIRED; tags map'],
  deleteUser: ['answer', 'id uuid REQUIRED'],
  deleteZone: ['answer', 'id uuid REQUIRED'],
  disableAccount: ['job', 'lock boolean REQUIRED; account string; domainid uuid; id uuid'],
  disableUser: ['job', 'id uuid REQUIRED'],
  enableAccount: ['answer', 'account string; domainid uuid; id uuid'],
  enableStorageMaintenance: ['job', 'id uuid REQUIRED'],
  enableUser: ['answer', 'id uuid REQUIRED'],
  getApiLimit: ['answer', ''],
  getUser: ['answer', 'userapikey string REQUIRED'],
  getUserKeys: ['answer', 'id uuid REQUIRED'],
  getVirtualMachineUserData: ['answer', 'virtualmachineid uuid REQUIRED'],
  listAccounts: [
    'answer',
    'accounttype integer; apikeyaccess string since=4.20.1.0; details list; domainid uuid; id uuid; iscleanuprequired boolean; isrecursive boolean; keyword string; listall boolean; name string; page integer; pagesize integer; showicon boolean; state string; tag string since=4.20.0',
  ],
  listCapabilities: ['answer', ''],
  listCapacity: [
    'answer',
    'clusterid uuid since=3.0.0; fetchlatest boolean since=3.0.0; keyword string; page integer; pagesize integer; podid uuid; sortby string since=3.0.0; tag string since=4.20.0; type integer; zoneid uuid',
  ],
  listClusters: [
    'answer',
    'allocationstate string; arch string since=4.20.1; clustertype string; hypervisor string; id uuid; keyword string; managedstate string; name string; page integer; pagesize integer; podid uuid; showcapacities boolean; storageaccessgroup string since=4.21.0; zoneid uuid',
  ],
  listDiskOfferings: [
    'answer',
    'account string; domainid uuid; encrypt boolean since=4.18; id uuid; isrecursive boolean; keyword string; listall boolean; name string; page integer; pagesize integer; projectid uuid; state string since=4.19; storageid uuid since=4.17; storagetype string since=4.19; virtualmachineid uuid since=4.20.0; volumeid uuid since=4.17; zoneid uuid since=4.13',
  ],
  listDomainChildren: [
    'answer',
    'id uuid; isrecursive boolean; keyword string; listall boolean; name string; page integer; pagesize integer; showicon boolean',
  ],
  listEvents: [
    'answer',
    'account string; archived boolean since=4.19.0; domainid uuid; duration integer; enddate date; entrytime integer; id uuid; isrecursive boolean; keyword string; level string; listall boolean; page integer; pagesize integer; projectid uuid; resourceid string since=4.17.0; resourcetype string since=4.17.0; startdate date; startid uuid; state string since=4.21.0; type string',
  ],
  listHypervisorCapabilities: ['answer', 'hypervisor string; id uuid; keyword string; page integer; pagesize integer'],
  listHypervisors: ['answer', 'zoneid uuid'],
  listNetworkOfferings: [
    'answer',
    'availability string; displaytext string; domainid uuid since=4.13; forvpc boolean; guestiptype string; id uuid; isdefault boolean; istagged boolean; keyword string; name string; networkid uuid; page integer; pagesize integer; routingmode string since=4.20.0; sourcenatsupported boolean; specifyipranges boolean; specifyvlan boolean; state string; supportedservices list; tags string len=4096; traffictype string; zoneid uuid',
  ],
  listNics: [
    'answer',
    'virtualmachineid uuid REQUIRED; fordisplay boolean since=4.4; keyword string; networkid uuid; nicid uuid; page integer; pagesize integer',
  ],
  listOsCategories: [
    'answer',
    'arch string since=4.21.0; id uuid; isfeatured boolean since=4.21.0; isiso boolean since=4.21.0; isvnf boolean since=4.21.0; keyword string; name string since=3.0.1; page integer; pagesize integer; showicon boolean since=4.21.0; zoneid uuid since=4.21.0',
  ],
  listResourceLimits: [
    'answer',
    'account string; domainid uuid; id long; isrecursive boolean; keyword string; listall boolean; page integer; pagesize integer; projectid uuid; resourcetype integer; resourcetypename string; tag string since=4.20.0',
  ],
  listRoles: [
    'answer',
    'id uuid; keyword string; name string; page integer; pagesize integer; state string; type string',
  ],
  listSSHKeyPairs: [
    'answer',
    'account string; domainid uuid; fingerprint string; id uuid; isrecursive boolean; keyword string; listall boolean; name string; page integer; pagesize integer; projectid uuid',
  ],
  listStorageProviders: ['answer', 'type string REQUIRED; keyword string; page integer; pagesize integer'],
  listTags: [
    'answer',
    'account string; customer string; domainid uuid; isrecursive boolean; key string; keyword string; listall boolean; page integer; pagesize integer; projectid uuid; resourceid string; resourcetype string; value string',
  ],
  listUsers: [
    'answer',
    'account string; accounttype integer; apikeyaccess string since=4.20.1.0; domainid uuid; id uuid; isrecursive boolean; keyword string; listall boolean; page integer; pagesize integer; showicon boolean; state string; username string; usersource string since=4.21.0.0',
  ],
  listVolumes: [
    'answer',
    'account string; clusterid uuid; diskofferingid uuid since=4.4; displayvolume boolean since=4.4; domainid uuid; hostid uuid; id uuid; ids list since=4.9; isencrypted boolean since=4.19.1; isrecursive boolean; keyword string; listall boolean; listsystemvms boolean since=4.18; name string; page integer; pagesize integer; podid uuid; projectid uuid; retrieveonlyresourcecount boolean; serviceofferingid uuid since=4.19.1; state string; storageid string since=4.3; tags map; type string; virtualmachineid uuid; zoneid uuid',
  ],
  lockAccount: ['answer', 'account string REQUIRED; domainid uuid REQUIRED'],
  lockUser: ['answer', 'id uuid REQUIRED'],
  prepareHostForMaintenance: ['job', 'id uuid REQUIRED'],
  prepareTemplate: ['answer', 'templateid uuid REQUIRED; zoneid uuid REQUIRED; storageid uuid'],
  rebootVirtualMachine: ['job', 'id uuid REQUIRED; bootintosetup boolean since=4.15.0.0; forced boolean since=4.16.0'],
  recoverVirtualMachine: ['answer', 'id uuid REQUIRED'],
  registerSSHKeyPair: [
    'answer',
    'name string REQUIRED; publickey string REQUIRED len=5120; account string; domainid uuid; projectid uuid',
  ],
  registerUserKeys: ['answer', 'id uuid REQUIRED'],
  resetApiLimit: ['answer', 'account uuid'],
  resetConfiguration: [
    'answer',
    'name string REQUIRED; accountid uuid; clusterid uuid; domainid uuid; imagestoreid uuid; storageid uuid; zoneid uuid',
  ],
  resetSSHKeyForVirtualMachine: [
    'job',
    'id uuid REQUIRED; account string; domainid uuid; keypair string; keypairs list since=4.17; projectid uuid',
  ],
  scaleVirtualMachine: [
    'job',
    'id uuid REQUIRED; serviceofferingid uuid REQUIRED; automigrate boolean since=4.17; details map; maxiops long since=4.17; miniops long since=4.17; shrinkok boolean since=4.17',
  ],
  updateAccount: [
    'answer',
    'account string; accountdetails map; apikeyaccess string since=4.20.1.0; domainid uuid; id uuid; networkdomain string; newname string; roleid uuid',
  ],
  updateCluster: [
    'answer',
    'id uuid REQUIRED; allocationstate string; arch string since=4.20; clustername string; clustertype string; externaldetails map since=4.21.0; hypervisor string; managedstate string',
  ],
  updateDiskOffering: [
    'answer',
    'id uuid REQUIRED; bytesreadrate long since=4.15; bytesreadratemax long since=4.15; bytesreadratemaxlength long since=4.15; byteswriterate long since=4.15; byteswriteratemax long since=4.15; byteswriteratemaxlength long since=4.15; cachemode string since=4.15; displayoffering boolean; displaytext string len=4096; domainid string len=4096 since=4.13; iopsreadrate long since=4.15; iopsreadratemax long since=4.15; iopsreadratemaxlength long since=4.15; iopswriterate long since=4.15; iopswriteratemax long since=4.15; iopswriteratemaxlength long since=4.15; name string; sortkey integer; state string; tags string since=4.15; zoneid string since=4.13',
  ],
  updateDomain: ['answer', 'id uuid REQUIRED; name string; networkdomain string'],
  updateHost: [
    'answer',
    'id uuid REQUIRED; allocationstate string; annotation string since=4.11; externaldetails map since=4.21.0; hosttags list; istagarule boolean; name string since=4.15; oscategoryid uuid; url string',
  ],
  updateIso: [
    'answer',
    'id uuid REQUIRED; arch string since=4.20; bootable boolean; cleanupdetails boolean; details map; displaytext string len=4096; forceupdateostype boolean since=4.21; format string; isdynamicallyscalable boolean; isrouting boolean; name string; ostypeid uuid; passwordenabled boolean; requireshvm boolean; sortkey integer; sshkeyenabled boolean',
  ],
  updateIsoPermissions: [
    'answer',
    'id uuid REQUIRED; accounts list; isextractable boolean; isfeatured boolean; ispublic boolean; op string; projectids list',
  ],
  updateNetwork: [
    'job',
    'id uuid REQUIRED; changecidr boolean; customid string since=4.4; displaynetwork boolean; displaytext string; dns1 string since=4.18.0; dns2 string since=4.18.0; forced boolean; guestvmcidr string; hideipaddressusage boolean; ip6dns1 string since=4.18.0; ip6dns2 string since=4.18.0; name string; networkdomain string; networkofferingid uuid; privatemtu integer since=4.18.0; publicmtu integer since=4.18.0; sourcenatipaddress string since=4.19; updateinsequence boolean',
  ],
  updatePod: [
    'answer',
    'id uuid REQUIRED; allocationstate string; endip string; gateway string; name string; netmask string; startip string',
  ],
  updateResourceCount: [
    'answer',
    'domainid uuid REQUIRED; account string; projectid uuid; resourcetype integer; tag string since=4.20.0',
  ],
  updateResourceLimit: [
    'answer',
    'resourcetype integer REQUIRED; account string; domainid uuid; max long; projectid uuid; tag string since=4.20.0',
  ],
  updateServiceOffering: [
    'answer',
    'id uuid REQUIRED; displaytext string; domainid string len=4096; externaldetails map since=4.21.0; hosttags string since=4.16; name string; purgeresources boolean since=4.20; sortkey integer; state string; storagetags string since=4.16; zoneid string since=4.13',
  ],
  updateTemplatePermissions: [
    'answer',
    'id uuid REQUIRED; accounts list; isextractable boolean; isfeatured boolean; ispublic boolean; op string; projectids list',
  ],
  updateUser: [
    'answer',
    'id uuid REQUIRED; apikeyaccess string since=4.20.1.0; currentpassword string; email string; firstname string; lastname string; mandate2fa boolean since=4.18.0.0; password string; timezone string; userapikey string; username string; usersecretkey string',
  ],
  updateVirtualMachine: [
    'answer',
    'id uuid REQUIRED; cleanupdetails boolean; customid string since=4.4; deleteprotection boolean since=4.20.0; details map; dhcpoptionsnetworklist map; displayname string; displayvm boolean; extraconfig string len=5120 since=4.12; group string; haenable boolean; instancename string since=4.4; isdynamicallyscalable boolean; leaseduration integer since=4.21.0; leaseexpiryaction string since=4.21.0; name string since=4.4; ostypeid uuid; securitygroupids list; securitygroupnames list; userdata string len=1048576 since=4.16.0; userdatadetails map since=4.18; userdataid uuid since=4.18',
  ],
  updateZone: [
    'answer',
    'id uuid REQUIRED; allocationstate string; details map; dhcpprovider string; dns1 string; dns2 string; dnssearchorder list; domain string; guestcidraddress string; internaldns1 string; internaldns2 string; ip6dns1 string; ip6dns2 string; ispublic boolean; localstorageenabled boolean; name string; sortkey integer',
  ],
};
