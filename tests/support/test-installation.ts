import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { type CloudStackClient, createCloudStackClient } from '../../cli/cloudstack-client.js';
import { eq } from 'drizzle-orm';
import { type Database, openDatabase } from '../../db/client.js';
import { event, templateSpoolRef } from '../../db/schema/index.js';
import { buildBootDisk } from '../../demo/boot-disk.js';
import { metalinkDocument, type OriginServer, startOriginServer } from '../../demo/origin-server.js';
import { type Installation, startInstallation } from '../../embedded/installation.js';
import { pickInstallationPorts } from '../../embedded/installation-ports.js';
import { createTemporaryStateDirectory } from '../../embedded/state-directory.js';
import type { SettingValues } from '../../shared/settings.js';
import { buildBootIso } from './boot-iso.js';
import { findLeftovers } from './leftovers.js';
import { reconcile } from './reconcile.js';
import { waitFor } from './wait-for.js';

export interface TestInstallationOptions {
  /** The compiled programs. Default: `dist`. */
  programs?: string;
  hosts: number;
  isPoolShared?: boolean;
  /** A directory that is the pool of the last host, where a test cares what it is on. */
  lastPoolPath?: string;
  gateways?: number;
  controlWorkers?: number;
  /** Default: this machine's own. */
  libvirtUri?: string;
  settings?: Partial<SettingValues>;
}

/** A bootable disk behind an origin server. */
export interface TestDisk {
  nonce: string;
  sha256: string;
  sizeBytes: number;
  /** Where the origin server serves it. */
  path: string;
  file: string;
}

const JOB_TIMEOUT_MS = 150_000;

/** A whole installation in processes of its own, with an origin server, for tests that drive it through the API. */
export class TestInstallation {
  readonly installation: Installation;
  readonly origin: OriginServer;
  /** One per gateway. */
  readonly clients: CloudStackClient[];
  readonly #directory: string;

  private constructor(installation: Installation, origin: OriginServer, directory: string) {
    this.installation = installation;
    this.origin = origin;
    this.#directory = directory;
    const { apiKey, secretKey } = installation.credentials;
    this.clients = installation.endpoints.map((endpoint) => createCloudStackClient({ endpoint, apiKey, secretKey }));
  }

  static async start(options: TestInstallationOptions): Promise<TestInstallation> {
    const state = await createTemporaryStateDirectory();
    if (options.lastPoolPath !== undefined) {
      const directory = path.join(state.path, 'hosts', `host-${options.hosts}`);
      await mkdir(directory, { recursive: true });
      await symlink(options.lastPoolPath, path.join(directory, 'pool'));
    }
    const installation = await startInstallation({
      state,
      programs: options.programs ?? path.join(import.meta.dirname, '..', '..', 'dist'),
      env: process.env,
      ports: await pickInstallationPorts(options.gateways ?? 1),
      hosts: options.hosts,
      isPoolShared: options.isPoolShared,
      controlWorkers: options.controlWorkers ?? 1,
      libvirtUri: options.libvirtUri,
      settings: { 'secstorage.allowed.internal.sites': '127.0.0.0/8', ...options.settings },
      isRestarted: false,
    });
    const test = new TestInstallation(installation, await startOriginServer(), state.path);
    for (const { id } of installation.hosts) await test.isHost(id, 'Up');
    return test;
  }

  get client(): CloudStackClient {
    return this.clients[0]!;
  }

  async stop(): Promise<void> {
    await this.origin.stop();
    await this.installation.destroy();
  }

  /** Builds a disk of its own and serves it. */
  async disk(sizeBytes: number, options: { isObliging?: boolean } = {}): Promise<TestDisk> {
    const nonce = randomUUID();
    const file = path.join(this.#directory, `${nonce}.qcow2`);
    await buildBootDisk(file, { nonce, sizeBytes, format: 'QCOW2', ...options });
    const bytes = await readFile(file);
    const disk = { nonce, file, sizeBytes: bytes.length, path: `/${nonce}.qcow2` };
    this.origin.serve(disk.path, { content: { file } });
    return { ...disk, sha256: createHash('sha256').update(bytes).digest('hex') };
  }

  /** Builds an ISO of its own that a machine boots from, serves it and registers it. */
  async bootIso(): Promise<{ id: string; nonce: string; path: string }> {
    const nonce = randomUUID();
    const file = path.join(this.#directory, `${nonce}.iso`);
    await buildBootIso(file, { nonce, isObliging: true });
    const urlPath = `/${nonce}.iso`;
    this.origin.serve(urlPath, { content: { file } });
    const { id } = await this.registerIso(urlPath);
    return { id, nonce, path: urlPath };
  }

  /** Registers what the origin server serves at this path. */
  async registerIso(urlPath: string): Promise<Record<string, unknown> & { id: string }> {
    const { zone } = (await this.client.call('listZones')) as { zone: { id: string }[] };
    const { ostype } = (await this.client.call('listOsTypes')) as { ostype: { id: string }[] };
    const { iso } = (await this.client.call('registerIso', {
      name: 'boot',
      url: `${this.origin.url}${urlPath}`,
      zoneid: zone[0]!.id,
      ostypeid: ostype[0]!.id,
      directdownload: true,
    })) as { iso: (Record<string, unknown> & { id: string })[] };
    return iso[0]!;
  }

  /** Serves a metalink of a disk; mirrors in order of priority. */
  metalink({ sizeBytes, sha256, path: diskPath }: TestDisk, mirrors: string[]): string {
    const metalinkPath = diskPath.replace('.qcow2', '.metalink');
    this.origin.serve(metalinkPath, {
      contentType: 'application/metalink4+xml',
      content: metalinkDocument({
        name: 'disk.qcow2',
        sizeBytes,
        sha256,
        mirrors: mirrors.map((url, index) => ({ url, priority: index + 1 })),
      }),
    });
    return `${this.origin.url}${metalinkPath}`;
  }

  /** @param parameters further ones, and other values than these */
  async register(url: string, checksum?: string, parameters: Record<string, string> = {}): Promise<string> {
    const { client } = this;
    const { zone } = (await client.call('listZones')) as { zone: { id: string }[] };
    const { ostype } = (await client.call('listOsTypes')) as { ostype: { id: string }[] };
    const { template } = (await client.call('registerTemplate', {
      name: 'disk',
      displaytext: 'disk',
      format: 'QCOW2',
      hypervisor: 'KVM',
      url,
      checksum,
      zoneid: zone[0]!.id,
      ostypeid: ostype[0]!.id,
      directdownload: true,
      ...parameters,
    })) as { template: { id: string }[] };
    return template[0]!.id;
  }

  /**
   * Asks for a VM and answers at once.
   *
   * @param parameters further ones
   */
  async begin(
    templateid: string,
    client = this.client,
    parameters: Record<string, string> = {},
  ): Promise<{ id: string; jobid: string }> {
    const { zone } = (await client.call('listZones')) as { zone: { id: string }[] };
    const { serviceoffering } = (await client.call('listServiceOfferings')) as {
      serviceoffering: { id: string; name: string }[];
    };
    const small = serviceoffering.find(({ name }) => name.startsWith('Small'))!;
    const begun = await client.call('deployVirtualMachine', {
      zoneid: zone[0]!.id,
      serviceofferingid: small.id,
      templateid,
      ...parameters,
    });
    return begun as { id: string; jobid: string };
  }

  ended(jobid: string, client = this.client): Promise<Record<string, unknown>> {
    return client.waitForJob(jobid, { timeoutMs: JOB_TIMEOUT_MS });
  }

  async deploy(templateId: string, parameters: Record<string, string> = {}): Promise<string> {
    const { id, jobid } = await this.begin(templateId, this.client, parameters);
    await this.ended(jobid);
    return id;
  }

  async expunge(vmId: string, client = this.client): Promise<void> {
    const { jobid } = (await client.call('destroyVirtualMachine', { id: vmId, expunge: true })) as { jobid: string };
    await this.ended(jobid, client);
  }

  /** Fails as its job does. */
  async deleteTemplate(id: string, parameters: { forced?: boolean } = {}): Promise<void> {
    const { jobid } = (await this.client.call('deleteTemplate', { id, ...parameters })) as { jobid: string };
    await this.ended(jobid);
  }

  /** Whether there is an event of a resource with this in its text. */
  hasEvent(resourceId: string, text: string): Promise<boolean> {
    return this.#withDatabase(async (db) => {
      const events = await db.select().from(event).where(eq(event.resourceId, resourceId));
      return events.some(({ description }) => description.includes(text));
    });
  }

  /** See `reconcile`. */
  reconcile(): Promise<string[]> {
    return this.#withDatabase((db) => reconcile(this.installation, db));
  }

  /** As if hosts had refused to remove templates long ago. */
  forgetRefusals(): Promise<unknown> {
    return this.#withDatabase((db) => db.update(templateSpoolRef).set({ evictionRefused: null }));
  }

  async #withDatabase<Result>(use: (db: Database) => Promise<Result>): Promise<Result> {
    const { db, close } = openDatabase(this.installation.databaseUrl, { applicationName: 'test', max: 1 });
    try {
      return await use(db);
    } finally {
      await close();
    }
  }

  async vm(id: string): Promise<{ state: string; hostid: string; [key: string]: unknown }> {
    const { virtualmachine } = await this.client.call('listVirtualMachines', { id });
    return (virtualmachine as { state: string; hostid: string }[])[0]!;
  }

  async isHost(id: string, state: 'Up' | 'Down'): Promise<void> {
    await waitFor(`host ${id} is ${state}`, async () => {
      const { host } = await this.client.call('listHosts', { id });
      return (host as { state: string }[])[0]?.state === state;
    });
  }

  async hostOf(vmId: string): Promise<Installation['hosts'][number]> {
    const { hostid } = await this.vm(vmId);
    return this.installation.hosts.find(({ id }) => id === hostid)!;
  }

  /** The VM has booted from exactly this disk, so many times at least: its console shows the nonce of the boot sector. */
  async hasBooted(vmId: string, { nonce }: { nonce: string }, times = 1): Promise<void> {
    const { consoleDirectory } = await this.hostOf(vmId);
    const file = path.join(consoleDirectory, `${vmId}.log`);
    await waitFor(
      `VM ${vmId} writes its nonce`,
      async () => (await readFile(file, 'utf8').catch(() => '')).split(nonce).length > times,
    );
  }

  /** Calls a command that answers with a job, and waits for its end. */
  async run(command: string, parameters: Record<string, string | boolean>): Promise<Record<string, unknown>> {
    const { jobid } = (await this.client.call(command, parameters)) as { jobid: string };
    return this.ended(jobid);
  }

  /** Bytes that have arrived of a template that is being downloaded. */
  async downloadedBytes(templateId: string): Promise<number> {
    const { template } = await this.client.call('listTemplates', { templatefilter: 'self', id: templateId });
    const [row] = template as { downloaddetails?: { downloadedbytes?: string }[] }[];
    return Math.max(0, ...(row?.downloaddetails ?? []).map(({ downloadedbytes }) => Number(downloadedbytes ?? 0)));
  }

  async leavesNothing(): Promise<void> {
    let leftovers: string[] = [];
    await waitFor('nothing is left over', async () => {
      leftovers = await findLeftovers(this.installation);
      return leftovers.length === 0;
    }).catch((error: unknown) => {
      throw new Error(`Left over:\n${leftovers.join('\n')}`, { cause: error });
    });
  }
}
