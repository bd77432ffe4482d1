import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { type CloudStackClient, createCloudStackClient } from '../../cli/cloudstack-client.js';
import type { WorkflowCall } from '../../client/execute-workflow.js';
import type { JobRow } from '../../db/jobs.js';
import { account, type ACCOUNT_TYPES, user } from '../../db/schema/index.js';
import { activateTemplate } from '../../db/templates.js';
import { createGateway } from '../../gateway/server.js';
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
export async function startTestGateway(): Promise<TestGateway> {
  const database = await createTestDatabase();
  const { db, secretBox, seeded } = database;
  const logged: string[] = [];
  const log = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged.push(chunk.toString());
      done();
    },
  });
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
  const app = createGateway(
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
    { log },
  );
  await app.listen({ host: '127.0.0.1', port: 0 });
  const endpoint = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/client/api`;

  return Object.assign(gateway, {
    endpoint,
    admin: createCloudStackClient({ endpoint, ...seeded.admin }),
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
        apiKey: keys.apiKey,
        secretKeyEncrypted: secretBox.encrypt(keys.secretKey),
      });
      return { accountId: owner!.id, ...keys, client: createCloudStackClient({ endpoint, ...keys }) };
    },
    async stop() {
      await app.close();
      await database.drop();
    },
  });
}
