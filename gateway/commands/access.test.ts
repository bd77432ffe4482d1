import { eq } from 'drizzle-orm';
import { type CloudStackClient, createCloudStackClient } from '../../cli/cloudstack-client.js';
import { createDomain } from '../../db/domains.js';
import { createJob } from '../../db/jobs.js';
import { userNetworkOf } from '../../db/networks.js';
import type { Caller } from '../../db/reads/find-caller.js';
import { findDefaultAdmin } from '../../db/reads/find-login.js';
import {
  account,
  domain,
  event,
  guestOs,
  networks,
  resourceTags,
  serviceOffering,
  sshKeypairs,
  user,
  vmInstance,
  volumes,
} from '../../db/schema/index.js';
import { replaceKeys } from '../../db/users.js';
import { createVirtualMachine } from '../../db/virtual-machines.js';
import { addTemplate } from '../../tests/support/add-template.js';
import { startTestGateway, type TestGateway } from '../../tests/support/test-gateway.js';
import { databaseTexts } from '../../tests/support/written-texts.js';
import { ADMIN_ONLY } from './define-command.js';
import { EMPTY_LISTS } from './empty-lists.js';
import { COMMANDS } from './index.js';

/** Every command, called by every role, on what somebody else owns. A command that is new here fails until it is in the table. */

const PUBLIC_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHExKbaKCFtKxnTRYcaxk0lPvBCmkYR1MeNmVGYeFZBG';

type Parameters = Record<string, string>;
type Role = (typeof ROLES)[number];
const ROLES = ['Admin', 'DomainAdmin', 'User'] as const;

interface Member {
  accountId: string;
  accountName: string;
  userId: string;
  username: string;
  domainId: string;
  client: CloudStackClient;
}

interface Victim extends Member {
  childDomainId: string;
  vmId: string;
  volumeId: string;
  templateId: string;
  isoId: string;
  publicTemplateId: string;
  networkId: string;
  keyPairId: string;
  jobId: string;
  eventId: string;
}

/** Hooks make whole families of accounts, and the machine may have other work. */
jest.setTimeout(30_000);

let gateway: TestGateway;
let system: Caller;
let zoneId: string;
let offeringId: string;
let osTypeId: string;
let made = 0;

async function newDomain(parentId: string): Promise<string> {
  return createDomain(gateway.db, system, { name: `domain-${(made += 1)}`, parentId });
}

async function newMember(domainId: string, type: Role): Promise<Member> {
  const { db, secretBox, endpoint } = gateway;
  const username = `member-${(made += 1)}`;
  // No password: to hash it takes longer than all the rest.
  const [owner] = await db.insert(account).values({ accountName: username, type, domainId }).returning();
  const accountId = owner!.id;
  const [row] = await db.insert(user).values({ username, password: 'none', accountId, domainId }).returning();
  const keys = await replaceKeys(db, secretBox, system, row!.id);
  const client = createCloudStackClient({ endpoint, ...keys });
  return { accountId, accountName: username, userId: row!.id, username, domainId, client };
}

async function newVictim(domainId: string): Promise<Victim> {
  const { db } = gateway;
  const member = await newMember(domainId, 'User');
  const { accountId, userId } = member;
  const own = { accountId };
  const templateId = await addTemplate(gateway, own, { name: 'private' });
  const publicTemplateId = await addTemplate(gateway, own, { name: 'public', isPublic: true });
  const isoId = await addTemplate(gateway, own, { name: 'iso', format: 'ISO' });
  const vm = { accountId, zoneId, templateId, serviceOfferingId: offeringId };
  const { id: vmId } = await createVirtualMachine(db, {
    ...vm,
    nics: [{ networkId: await userNetworkOf(db, zoneId) }],
  });
  await db.update(vmInstance).set({ state: 'Stopped' }).where(eq(vmInstance.id, vmId));
  const [volume] = await db.select().from(volumes).where(eq(volumes.instanceId, vmId));
  const network = { ...own, name: 'wire', displayText: 'wire', guestType: 'L2' as const, dataCenterId: zoneId };
  const [networkRow] = await db.insert(networks).values(network).returning();
  await db.insert(resourceTags).values({ ...own, instanceId: vmId, key: `tag-${userId}`, value: 'theirs' });
  const pair = { ...own, keypairName: `key-${userId}`, fingerprint: 'aa:bb', publicKey: 'ssh-ed25519 AAAA' };
  const [pairRow] = await db.insert(sshKeypairs).values(pair).returning();
  const told = { ...own, type: 'VM.START', level: 'INFO' as const, description: 'started', resourceId: vmId };
  const [eventRow] = await db.insert(event).values(told).returning();
  const job = await createJob(db, {
    id: crypto.randomUUID(),
    accountId,
    userId,
    jobCmd: 'refreshTemplate',
    workflowType: 'refreshTemplate',
    workflowId: `prestage-${vmId}`,
    workflowInput: {},
    instanceType: 'Template',
    instanceId: publicTemplateId,
  });
  return {
    ...member,
    childDomainId: await newDomain(domainId),
    vmId,
    volumeId: volume!.id,
    templateId,
    publicTemplateId,
    isoId,
    networkId: networkRow!.id,
    keyPairId: pairRow!.id,
    jobId: job.id,
    eventId: eventRow!.id,
  };
}

/** What strangers must not read of it. */
const secretsOf = (victim: Victim): string[] => [
  victim.accountId,
  victim.userId,
  victim.username,
  victim.vmId,
  victim.volumeId,
  victim.templateId,
  victim.isoId,
  victim.networkId,
  victim.keyPairId,
  victim.jobId,
  victim.eventId,
];

beforeAll(async () => {
  gateway = await startTestGateway();
  system = (await findDefaultAdmin(gateway.db))!;
  ({ zoneId } = gateway.seeded);
  offeringId = (await gateway.db.select().from(serviceOffering).limit(1))[0]!.id;
  osTypeId = (await gateway.db.select().from(guestOs).limit(1))[0]!.id;
  const register = gateway.onExecute;
  gateway.onExecute = (call) =>
    call.workflowType === 'registerTemplate' ? register(call) : Promise.resolve({ port: null });
});
afterAll(() => gateway.stop());

const vm = ({ vmId }: Victim): Parameters[] => [{ id: vmId }];
const template = ({ templateId }: Victim): Parameters[] => [{ id: templateId }];
const publicTemplate =
  (more: Parameters) =>
  (victim: Victim): Parameters[] => [
    { id: victim.templateId, ...more },
    { id: victim.publicTemplateId, ...more },
  ];
const iso = ({ isoId }: Victim): Parameters[] => [{ id: isoId }];
const userOf =
  (more: Parameters = {}) =>
  ({ userId }: Victim): Parameters[] => [{ id: userId, ...more }];
const accountOf =
  (more: Parameters = {}) =>
  ({ accountId, accountName, domainId }: Victim): Parameters[] => [
    { account: accountName, domainid: domainId, ...more },
    { id: accountId, ...more },
  ];
const job = ({ jobId }: Victim): Parameters[] => [{ jobid: jobId }];
const listOf =
  (id: keyof Victim, more: Parameters = {}) =>
  (victim: Victim): Parameters[] => [
    { listall: 'true', ...more },
    { id: victim[id] as string, ...more },
    { account: victim.accountName, domainid: victim.domainId, ...more },
    { domainid: victim.domainId, isrecursive: 'true', listall: 'true', ...more },
  ];
const PERSON = { username: 'intruder', password: 'p', firstname: 'f', lastname: 'l', email: 'e' };
const order = ({ templateId, publicTemplateId, networkId, userId }: Victim): Parameters[] => {
  const base = { zoneid: zoneId, serviceofferingid: offeringId };
  return [
    { ...base, templateid: templateId },
    { ...base, templateid: publicTemplateId, networkids: networkId },
    { ...base, templateid: publicTemplateId, keypair: `key-${userId}` },
  ];
};
/** Made for somebody else. */
const inNameOf =
  (more: Parameters) =>
  ({ accountName, domainId }: Victim): Parameters[] => [{ ...more, account: accountName, domainid: domainId }];
const newTag = () => ({ 'tags[0].key': `key-${(made += 1)}`, 'tags[0].value': 'value' });
/** Of an OpenSSH key; the name is new at every call. */
const newKey = () => ({ name: `key-${(made += 1)}`, publickey: PUBLIC_KEY });
const image = () => ({
  name: 'made',
  url: 'http://images.example/made.qcow2',
  ostypeid: osTypeId,
  directdownload: 'true',
  zoneid: zoneId,
});

/** There is nothing of somebody else's to call these on: they are about everybody's things, or make something of the caller's. */
const OF_NOBODY = [
  ...EMPTY_LISTS.map(({ name }) => name),
  'getApiLimit',
  'listApis',
  'listCapabilities',
  'listDiskOfferings',
  'listHypervisors',
  'listNetworkOfferings',
  'listOsCategories',
  'listOsTypes',
  'listRoles',
  'listServiceOfferings',
  'listZones',
];

/** What is tried, in an order in which whoever may can do it all: what ends something comes last. */
const ATTEMPTS: Record<string, (victim: Victim) => Parameters[]> = {
  listVirtualMachines: listOf('vmId'),
  listVolumes: listOf('volumeId'),
  listTemplates: (victim) =>
    ['self', 'executable', 'selfexecutable'].flatMap((templatefilter) =>
      listOf('templateId', { templatefilter })(victim),
    ),
  listIsos: listOf('isoId', { isofilter: 'executable' }),
  listSSHKeyPairs: listOf('keyPairId'),
  listNetworks: listOf('networkId'),
  listEvents: listOf('eventId'),
  listAsyncJobs: listOf('jobId'),
  listTags: ({ vmId }): Parameters[] => [{ listall: 'true' }, { resourceid: vmId }],
  listAccounts: listOf('accountId'),
  listUsers: listOf('userId'),
  listDomains: ({ domainId }) => [{ id: domainId }],
  listDomainChildren: ({ domainId }) => [{ id: domainId }],
  listResourceLimits: ({ accountName, domainId }) => [{ account: accountName, domainid: domainId }],
  updateResourceCount: ({ accountName, domainId }) => [{ account: accountName, domainid: domainId }],
  updateResourceLimit: ({ accountName, domainId }) => [
    { account: accountName, domainid: domainId, resourcetype: '0', max: '5' },
  ],
  queryAsyncJobResult: job,
  getVirtualMachineConsoleLog: vm,
  getVirtualMachineUserData: ({ vmId }) => [{ virtualmachineid: vmId }],
  createConsoleEndpoint: ({ vmId }) => [{ virtualmachineid: vmId }],
  updateVirtualMachine: ({ vmId }) => [{ id: vmId, displayname: 'changed' }],
  listNics: ({ vmId }) => [{ virtualmachineid: vmId }],
  changeServiceForVirtualMachine: ({ vmId }) => [{ id: vmId, serviceofferingid: offeringId }],
  scaleVirtualMachine: ({ vmId }) => [{ id: vmId, serviceofferingid: offeringId }],
  resetSSHKeyForVirtualMachine: ({ vmId, userId, accountName, domainId }) => [
    { id: vmId, keypair: `key-${userId}`, account: accountName, domainid: domainId },
  ],
  updateTemplate: publicTemplate({ displaytext: 'changed' }),
  updateTemplatePermissions: publicTemplate({ isextractable: 'true' }),
  updateIso: ({ isoId }) => [{ id: isoId, displaytext: 'changed' }],
  updateIsoPermissions: ({ isoId }) => [{ id: isoId, isextractable: 'true' }],
  deployVirtualMachine: (victim) => [
    ...inNameOf({ zoneid: zoneId, serviceofferingid: offeringId, templateid: victim.templateId })(victim),
    ...order(victim),
  ],
  createSSHKeyPair: (victim) => inNameOf({ name: `key-${(made += 1)}` })(victim),
  registerSSHKeyPair: (victim) => inNameOf(newKey())(victim),
  registerTemplate: (victim) => inNameOf({ ...image(), format: 'QCOW2', hypervisor: 'KVM' })(victim),
  registerIso: (victim) => inNameOf(image())(victim),
  createTags: ({ vmId, templateId, isoId, volumeId, networkId, accountId, userId }) => [
    { resourcetype: 'UserVm', resourceids: vmId, ...newTag() },
    { resourcetype: 'Template', resourceids: templateId, ...newTag() },
    { resourcetype: 'ISO', resourceids: isoId, ...newTag() },
    { resourcetype: 'Volume', resourceids: volumeId, ...newTag() },
    { resourcetype: 'Network', resourceids: networkId, ...newTag() },
    { resourcetype: 'Account', resourceids: accountId, ...newTag() },
    { resourcetype: 'User', resourceids: userId, ...newTag() },
  ],
  deleteTags: ({ vmId }) => [{ resourcetype: 'UserVm', resourceids: vmId }],
  attachIso: ({ isoId, vmId }) => [{ id: isoId, virtualmachineid: vmId }],
  detachIso: ({ vmId }) => [{ virtualmachineid: vmId }],
  startVirtualMachine: vm,
  stopVirtualMachine: vm,
  rebootVirtualMachine: vm,
  restoreVirtualMachine: ({ vmId, publicTemplateId }) => [{ virtualmachineid: vmId, templateid: publicTemplateId }],
  recoverVirtualMachine: vm,
  expungeVirtualMachine: vm,
  destroyVirtualMachine: vm,
  refreshTemplate: publicTemplate({}),
  cancelJob: job,
  archiveEvents: ({ eventId }) => [{ ids: eventId }],
  deleteEvents: ({ eventId }) => [{ ids: eventId }],
  deleteSSHKeyPair: (victim) => [
    ...inNameOf({ name: `key-${victim.userId}` })(victim),
    { name: `key-${victim.userId}` },
  ],
  getUserKeys: userOf(),
  updateUser: userOf({ firstname: 'changed' }),
  lockUser: userOf(),
  enableUser: userOf(),
  disableUser: userOf(),
  registerUserKeys: userOf(),
  createUser: ({ accountName, domainId }) => [{ ...PERSON, account: accountName, domainid: domainId }],
  createAccount: ({ domainId }) => [{ ...PERSON, username: `at-${domainId}`, accounttype: '0', domainid: domainId }],
  createDomain: ({ domainId }) => [{ name: 'intrusion', parentdomainid: domainId }],
  updateDomain: ({ childDomainId }) => [{ id: childDomainId, name: 'changed' }],
  updateAccount: accountOf({}),
  lockAccount: accountOf(),
  enableAccount: accountOf(),
  disableAccount: accountOf({ lock: 'true' }),
  deleteTemplate: template,
  deleteIso: iso,
  deleteUser: userOf(),
  deleteDomain: ({ childDomainId }) => [{ id: childDomainId, cleanup: 'true' }],
  deleteAccount: ({ accountId }) => [{ id: accountId }],
};

interface Outcome {
  errorcode: number;
  text: string;
}

const tryOut = async (client: CloudStackClient, command: string, parameters: Parameters): Promise<Outcome> => {
  try {
    return { errorcode: 0, text: JSON.stringify(await client.call(command, parameters)) };
  } catch (error) {
    return error as { errorcode: number } & Outcome;
  }
};

const isAdminOnly = ({ allowedRoles }: (typeof COMMANDS)[number]): boolean => allowedRoles.length === ADMIN_ONLY.length;

it('knows what to try of every command', () => {
  const named = COMMANDS.filter((command) => !isAdminOnly(command)).map(({ name }) => name);
  expect(named.toSorted()).toEqual([...Object.keys(ATTEMPTS), ...OF_NOBODY].toSorted());
});

describe('who may not', () => {
  let victim: Victim;
  let strangers: [Role, Member][];
  /** Of all tables; no test here changes it. */
  let before: string;

  beforeAll(async () => {
    const theirs = await newDomain(system.domainId);
    const other = await newDomain(system.domainId);
    victim = await newVictim(theirs);
    strangers = [
      ['User', await newMember(theirs, 'User')],
      ['User', await newMember(other, 'User')],
      ['DomainAdmin', await newMember(other, 'DomainAdmin')],
    ];
    before = await databaseTexts(gateway.db);
  });

  it.each(COMMANDS.map(({ name, allowedRoles }) => [name, allowedRoles] as const))(
    '%s is no command for a role that it is not for',
    async (name, allowedRoles) => {
      for (const [role, { client }] of strangers) {
        if (allowedRoles.some((allowed) => allowed === role)) continue;
        expect(await tryOut(client, name, {})).toMatchObject({ errorcode: 432 });
      }
    },
  );

  /** Whose a public template is may be read by everybody. */
  const isShown = (name: string, secret: string): boolean =>
    name === 'listTemplates' && [victim.accountId, victim.username].includes(secret);

  it.each(Object.keys(ATTEMPTS))('%s neither shows nor changes what is somebody else’s', async (name) => {
    const command = COMMANDS.find((one) => one.name === name)!;
    const started = gateway.started.length;
    for (const [role, { client }] of strangers) {
      if (!command.allowedRoles.includes(role)) continue;
      for (const parameters of ATTEMPTS[name]!(victim)) {
        const outcome = await tryOut(client, name, parameters);
        if (name.startsWith('list')) {
          for (const secret of secretsOf(victim).filter((one) => !isShown(name, one))) {
            // What was given may be named in an error.
            if (!Object.values(parameters).includes(secret)) expect(outcome.text ?? '').not.toContain(secret);
          }
        } else expect([431, 531]).toContain(outcome.errorcode);
      }
    }
    expect(gateway.started).toHaveLength(started);
    // Not by toBe: to show how two databases differ would take minutes.
    const after = await databaseTexts(gateway.db);
    expect(after === before).toBe(true);
  });
});

describe.each(ROLES)('%s', (role) => {
  let victim: Victim;
  let caller: CloudStackClient;

  beforeAll(async () => {
    const above = await newDomain(system.domainId);
    victim = await newVictim(await newDomain(above));
    // A user may do what the account itself may.
    caller =
      role === 'User' ? victim.client : (await newMember(role === 'Admin' ? system.domainId : above, role)).client;
    expect(await gateway.db.select().from(domain).where(eq(domain.id, above))).toHaveLength(1);
  });

  const isUsersOwn = (name: string): boolean => role !== 'User' || !UNLIKE_OTHERS.includes(name);

  it.each(
    COMMANDS.filter(({ name, allowedRoles }) => ATTEMPTS[name] && allowedRoles.includes(role))
      .map(({ name }) => name)
      .toSorted((left, right) => Object.keys(ATTEMPTS).indexOf(left) - Object.keys(ATTEMPTS).indexOf(right)),
  )('may call %s', async (name) => {
    const command = COMMANDS.find((one) => one.name === name)!;
    const outcomes: Outcome[] = [];
    for (const parameters of ATTEMPTS[name]!(victim)) outcomes.push(await tryOut(caller, name, parameters));
    if (command.kind === 'list') {
      expect(outcomes.every(({ errorcode }) => errorcode === 0)).toBe(true);
      expect(outcomes.some(({ text }) => text.length > 2)).toBe(true);
    } else if (isUsersOwn(name)) {
      for (const outcome of outcomes) {
        expect([432, 531]).not.toContain(outcome.errorcode);
        expect(String((outcome as Partial<Error>).message)).not.toMatch(/entity does not exist/);
      }
    }
  });
});

/** What a user may do by a setting only, or with things of the caller's own account, which the victim's are for nobody else. */
const UNLIKE_OTHERS = ['expungeVirtualMachine', 'recoverVirtualMachine', 'registerUserKeys'];
