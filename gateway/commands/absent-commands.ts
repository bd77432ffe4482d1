const NO_SECONDARY_STORAGE =
  'Slipway has no secondary storage: templates and ISOs go from their URLs to primary storage';
const NO_DATA_DISKS = 'Slipway has no data disks: a virtual machine has its root disk';
const NO_SNAPSHOTS = 'Slipway has no snapshots';
const NO_MIGRATION = 'Slipway moves no virtual machine: stop it, and start it where it is to run';
const NO_ADDRESSES = 'Slipway gives networks no addresses, routers and rules: what serves the wire does';
const NO_ADDED_NICS = 'A virtual machine keeps the interfaces that it was deployed with';
const NO_PASSWORDS = 'Slipway sets no passwords in guests: user data can, and SSH keys need none';
const NO_GROUPS = 'Slipway has no groups of virtual machines: tags tell what belongs together';
const NO_PROJECTS = 'Slipway has no projects: what is of several people belongs to an account or a domain';
const FIXED_ROLES = 'The roles are those of listRoles, and what each may do is fixed';
const FIXED_NETWORK_OFFERINGS = 'The network offerings are those of listNetworkOfferings, and what each is is fixed';
const NO_KUBERNETES = 'Slipway runs no Kubernetes clusters';
const HOSTS_JOIN = 'Hosts join by themselves, with a token of createHostJoinToken';
const KEEPS_OWNER = 'What is made for an account stays its own';

/** CloudStack's commands that make no sense without what Slipway does not have. */
const REASONS = new Map([
  ...reasons(NO_SECONDARY_STORAGE, [
    'createTemplate',
    'copyTemplate',
    'extractTemplate',
    'copyIso',
    'extractIso',
    'getUploadParamsForTemplate',
    'getUploadParamsForIso',
    'addImageStore',
    'listImageStores',
  ]),
  ...reasons(NO_DATA_DISKS, [
    'createVolume',
    'uploadVolume',
    'attachVolume',
    'detachVolume',
    'deleteVolume',
    'destroyVolume',
    'recoverVolume',
    'resizeVolume',
    'migrateVolume',
    'extractVolume',
  ]),
  ...reasons(NO_SNAPSHOTS, [
    'createSnapshot',
    'deleteSnapshot',
    'revertSnapshot',
    'createVMSnapshot',
    'listVMSnapshot',
  ]),
  ...reasons(NO_MIGRATION, ['migrateVirtualMachine', 'migrateVirtualMachineWithVolume', 'findHostsForMigration']),
  ...reasons(NO_ADDRESSES, [
    'associateIpAddress',
    'enableStaticNat',
    'createPortForwardingRule',
    'createFirewallRule',
    'createEgressFirewallRule',
    'createLoadBalancerRule',
    'createVPC',
    'createNetworkACL',
  ]),
  ...reasons(NO_ADDED_NICS, [
    'addNicToVirtualMachine',
    'removeNicFromVirtualMachine',
    'updateDefaultNicForVirtualMachine',
    'updateVmNicIp',
    'addIpToNic',
    'removeIpFromNic',
  ]),
  ...reasons(NO_PASSWORDS, ['resetPasswordForVirtualMachine', 'getVMPassword']),
  ...reasons(NO_GROUPS, [
    'createAffinityGroup',
    'deleteAffinityGroup',
    'updateVMAffinityGroup',
    'createInstanceGroup',
    'deleteInstanceGroup',
    'createSecurityGroup',
    'deleteSecurityGroup',
    'authorizeSecurityGroupIngress',
    'authorizeSecurityGroupEgress',
  ]),
  ...reasons(NO_PROJECTS, ['createProject', 'deleteProject', 'updateProject', 'addAccountToProject']),
  ...reasons(FIXED_ROLES, ['createRole', 'updateRole', 'deleteRole', 'createRolePermission', 'importRole']),
  ...reasons(FIXED_NETWORK_OFFERINGS, ['createNetworkOffering', 'updateNetworkOffering', 'deleteNetworkOffering']),
  ...reasons(NO_KUBERNETES, ['addKubernetesSupportedVersion', 'createKubernetesCluster']),
  ...reasons(HOSTS_JOIN, ['addHost', 'reconnectHost']),
  ...reasons(KEEPS_OWNER, ['assignVirtualMachine', 'assignVolume']),
]);

function reasons(text: string, commands: string[]): [string, string][] {
  return commands.map((command) => [command.toLowerCase(), text]);
}

/** Why Slipway does not have a command of CloudStack; undefined for any other. */
export const whyAbsent = (name: string): string | undefined => REASONS.get(name.toLowerCase());
