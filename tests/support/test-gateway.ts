import { randomBytes } from 'node:crypto';
import { type CloudStackClient, createCloudStackClient } from '../../cli/cloudstack-client.js';
import type { WorkflowCall } from '../../client/execute-workflow.js';
import type { JobRow } from '../../db/jobs.js';
import { account, type ACCOUNT_TYPES, user } from '../../db/schema/index.js';
import { activateTemplate } from '../../db/templates.js';
import { serveGateway } from './serve-gateway.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

export interface TestGateway extends TestDatabase {
  endpoint: string;
  /** A client of the root admin. */
  admin: CloudStackClient;
  addUser(name: string, role?: (typeof ACCOUNT_TYPES)[number]): Promise<TestUser>;
  /** Jobs whose workflow was to be started, in order. */
  started: JobRow[];
  /** Jobs whose workflow was to be cancelled, in order. */
  cancelled: JobRow[];
  /** What the gateway asked of Temporal, in order. */
  executed: WorkflowCall[];
  /** What the gateway logged. */
  log(): string;
  /** What a workflow does; at first what registerTemplate does once a host has validated the URL. */
  onExecute: (call: WorkflowCall) => Promise<unknown>;
  /** What hosts do when a change of a certificate is brought to them; at first nothing, as hosts that do not answer. */
  onProvision: (certificate: { id: string; zoneId: string }, isSettled: () => Promise<boolean>) => Promise<void>;
  stop(): Promise<void>;
}

export interface TestUser {
  accountId: string;
  apiKey: string;
  secretKey: string;
  client: CloudStackClient;
}

/** The gateway over real HTTP and PostgreSQL; only Temporal is replaced, by what a test says that a workflow does. */
export async function startTestGateway(options?: Parameters<typeof serveGateway>[3]): Promise<TestGateway> {
  const database = await createTestDatabase();
  const { db, secretBox, seeded } = database;
  const logged: string[] = [];
  const gateway: Omit<TestGateway, 'endpoint' | 'admin' | 'addUser' | 'stop'> = {
    ...database,
    started: [],
    cancelled: [],
    executed: [],
    log: () => logged.join(''),
    onExecute: ({ input }) =>
      activateTemplate(db, {
        templateId: input['templateId'] as string,
        zoneIds: input['zoneIds'] as string[],
        sizeBytes: 1024,
      }),
    onProvision: () => Promise.resolve(),
  };
  const { endpoint, admin, close } = await serveGateway(
    {
      db,
      secretBox,
      startJob: (job) => Promise.resolve(gateway.started.push(job)),
      cancelJob: (job) => Promise.resolve(void gateway.cancelled.push(job)),
      executeWorkflow(call) {
        gateway.executed.push(call);
        return gateway.onExecute(call);
      },
      provisionCertificates: (...provisioning) => gateway.onProvision(...provisioning),
    },
    seeded,
    (entry) => logged.push(entry),
    options,
  );

  return Object.assign(gateway, {
    endpoint,
    admin,
    async addUser(name: string, role: (typeof ACCOUNT_TYPES)[number] = 'User'): Promise<TestUser> {
      const [root] = await db.select({ domainId: account.domainId }).from(account).limit(1);
      const [owner] = await db
        .insert(account)
        .values({ accountName: name, type: role, domainId: root!.domainId })
        .returning();
      const keys = { apiKey: randomBytes(64).toString('base64url'), secretKey: randomBytes(64).toString('base64url') };
      await db.insert(user).values({
        username: name,
        password: 'none',
        accountId: owner!.id,
        domainId: root!.domainId,
        apiKey: keys.apiKey,
        secretKeyEncrypted: secretBox.encrypt(keys.secretKey),
      });
      return { accountId: owner!.id, ...keys, client: createCloudStackClient({ endpoint, ...keys }) };
    },
    async stop() {
      await close();
      await database.drop();
    },
  });
}
