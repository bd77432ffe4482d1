import { createNetwork as insertNetwork } from '../../db/networks.js';
import { findAccount, isRootDomain } from '../../db/reads/find-account.js';
import { findZones } from '../../db/reads/find-deployment-parts.js';
import { findNetwork } from '../../db/reads/list-networks.js';
import { NETWORK_OFFERINGS, type NetworkOffering } from '../../shared/network-offerings.js';
import { field } from '../protocol/fields.js';
import { invalid } from '../protocol/invalid.js';
import { type ArgumentsOf, boolean, oneOf, required, string, uuid, withDefault } from '../protocol/parameters.js';
import { invalidValue, noSuchEntity } from '../protocol/standard-texts.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { networkFields, networkResponse } from '../responses/network.js';
import { ADMIN_ONLY, type CommandContext, defineCommand } from './define-command.js';
import { stillThere } from './still-there.js';

const params = {
  name: required(string('Name of the network.')),
  displaytext: string('Text for people; the name when absent.'),
  networkofferingid: required(uuid('ID of the network offering.')),
  zoneid: required(uuid('ID of the zone.')),
  vlan: string('The VLAN, 1 to 4094, when the offering says specifyvlan.'),
  bypassvlanoverlapcheck: withDefault(boolean('Whether another network of the zone may have the VLAN.'), false),
  acltype: withDefault(
    oneOf(['Account', 'Domain'], 'Account: for the account that owns it. Domain: for everybody.'),
    'Account',
  ),
  account: string('Account that owns it; the one of the caller when absent.'),
  domainid: uuid('ID of the domain of the account.'),
  ...withoutEffect({
    physicalnetworkid: { type: 'uuid' },
    subdomainaccess: { type: 'boolean' },
    hideipaddressusage: { type: 'boolean' },
  }),
  ...unsupported({
    aclid: { type: 'uuid' },
    asnumber: { type: 'long', since: '4.20.0' },
    bgppeerids: { type: 'list', since: '4.20.0' },
    associatednetworkid: { type: 'uuid', since: '4.17.0' },
    cidrsize: { type: 'integer', since: '4.20.0' },
    displaynetwork: { type: 'boolean', harmless: 'true' },
    dns1: { type: 'string', since: '4.18.0' },
    dns2: { type: 'string', since: '4.18.0' },
    endip: { type: 'string' },
    endipv6: { type: 'string' },
    externalid: { type: 'string' },
    gateway: { type: 'string' },
    ip6cidr: { type: 'string' },
    ip6dns1: { type: 'string', since: '4.18.0' },
    ip6dns2: { type: 'string', since: '4.18.0' },
    ip6gateway: { type: 'string' },
    isolatedpvlan: { type: 'string' },
    isolatedpvlantype: { type: 'string' },
    netmask: { type: 'string' },
    networkdomain: { type: 'string' },
    privatemtu: { type: 'integer', since: '4.18.0' },
    projectid: { type: 'uuid' },
    publicmtu: { type: 'integer', since: '4.18.0' },
    routerip: { type: 'string', since: '4.16' },
    routeripv6: { type: 'string', since: '4.16' },
    sourcenatipaddress: { type: 'string', since: '4.19' },
    startip: { type: 'string' },
    startipv6: { type: 'string' },
    tungstenvirtualrouteruuid: { type: 'string' },
    vpcid: { type: 'uuid' },
  }),
};

export const createNetwork = defineCommand({
  name: 'createNetwork',
  description:
    'Makes a network of type L2. For root admins: CloudStack picks a free VLAN for the network of a user, and Slipway ' +
    'has none to pick from, so that two networks without a VLAN are one and the same wire.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params,
  response: { objectName: 'network', fields: { network: field('object', 'The network.', networkFields) } },
  async handle(args, context) {
    const { db, caller, command } = context;
    const offering = NETWORK_OFFERINGS.find(({ id }) => id === args.networkofferingid);
    if (!offering) throw noSuchEntity(command, 'networkofferingid', args.networkofferingid);
    const [zone] = await findZones(db, [args.zoneid]);
    if (!zone) throw noSuchEntity(command, 'zoneid', args.zoneid);
    if (offering.guestType === 'User') {
      throw invalid(`Zone ${zone.name} has its network of type User already`);
    }
    const id = await insertNetwork(db, caller, {
      name: args.name,
      displayText: args.displaytext ?? args.name,
      zoneId: zone.id,
      accountId: await ownerOf(args, context),
      vlan: vlanOf(args, command, offering),
      mayOverlap: args.bypassvlanoverlapcheck,
    });
    return { network: networkResponse(stillThere(await findNetwork(db, id), id, context), caller) };
  },
});

type Arguments = ArgumentsOf<typeof params>;

async function ownerOf(
  { acltype, account, domainid }: Arguments,
  { db, caller, command }: CommandContext,
): Promise<string | null> {
  if (acltype === 'Domain') {
    if (account !== undefined) throw invalid('A network with acltype Domain is for everybody: no account');
    // To make it for everybody would be to give it to those that it is to be kept from.
    if (domainid === undefined || (await isRootDomain(db, domainid))) return null;
    throw invalid('A network with acltype Domain is for everybody: there are none for one domain, only for an account');
  }
  if (account === undefined) {
    if (domainid !== undefined) throw invalid('AccountName and domainId must be specified together');
    return caller.accountId;
  }
  const owner = await findAccount(db, { name: account, domainId: domainid });
  if (!owner) throw noSuchEntity(command, 'account', account);
  return owner.id;
}

/** The texts are CloudStack's. */
function vlanOf({ vlan }: Arguments, command: string, { specifyVlan }: NetworkOffering): number | null {
  if (vlan === undefined) {
    if (!specifyVlan) return null;
    throw invalid('Vlan has to be specified; corresponding offering says specifyVlan=true');
  }
  if (!specifyVlan) {
    throw invalid("Can't specify vlan; corresponding offering says specifyVlan=false");
  }
  // CloudStack takes the URI too.
  const id = Number(/^(?:vlan:\/\/)?(\d{1,4})$/i.exec(vlan)?.[1]);
  if (!(id >= 1 && id <= 4094)) throw invalidValue(command, 'vlan', vlan);
  return id;
}
