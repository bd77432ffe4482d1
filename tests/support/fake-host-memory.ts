import type { HostActivities, TransferActivities } from '../../activities/host/index.js';
import { keystoreDigest } from '../../kvm/keystore/certificate-chain.js';
import { sealJson } from '../../kvm/keystore/sealed-json.js';
import { templateFileName } from '../../kvm/storage/file-names.js';
import type { DesiredKeystore, KeystoreReport } from '../../shared/certificates.js';
import type { HostStatus, PoolPlace } from '../../shared/hosts.js';
import type { TemplateCopyRef } from '../../shared/templates.js';
import { orderedKeystore } from '../../activities/host/ordered-keystore.js';
import { type RootDisk, undoToken } from '../../shared/virtual-machines.js';
import { refusal, tier } from './host-answers.js';

export type FakeActivities = HostActivities & TransferActivities;

const GiB = 1024 ** 3;

/** What a fake host holds in place of libvirt, pools and files, and what its activities do with it. */
export class FakeHostMemory {
  readonly poolId: string;
  /** What runs, with its token; to delete one is to let it end by itself. */
  readonly domains = new Map<string, number>();
  /** As a real host's record of started domains. */
  readonly #started = new Map<string, number>();
  readonly volumes = new Set<string>();
  /** How each volume came to be, by file name. */
  readonly disks = new Map<string, RootDisk>();
  /** What is in the CD-ROM drive of each VM, or was when it stopped. */
  readonly discs = new Map<string, string | null>();
  /** What VMs wrote to their serial console. */
  readonly consoles = new Map<string, string>();
  readonly copies = new Set<string>();
  /** The certificates that it was told to trust; a test that takes one away has it deleted by hand. */
  keystore: DesiredKeystore = { generation: 0, certificates: [] };
  /** Highest fencing token seen per VM: on a real host this is on disk, and outlives the process too. */
  readonly #tokens = new Map<string, number>();
  bootId = '';
  /** As it reports it. */
  pool: PoolPlace;
  /** Of its pool, as it reports it. */
  capacityBytes = 100 * GiB;
  /** Why it cannot use its pool, as it reports it. */
  poolProblem: string | undefined;
  /** Partial files that it finds on its pool when it says hello. */
  partials: TemplateCopyRef[] = [];

  constructor(pool: PoolPlace) {
    this.poolId = pool.poolId;
    this.pool = pool;
  }

  #keystoreReport(): KeystoreReport {
    const { generation, certificates } = this.keystore;
    return { generation, digest: keystoreDigest(certificates) };
  }

  status(): HostStatus {
    return {
      facts: {
        bootId: this.bootId,
        arch: 'x86_64',
        cpus: 4,
        cpuSpeedMhz: 2000,
        memoryBytes: 16 * GiB,
        domainType: 'kvm',
        hypervisorVersion: 'QEMU 7.2.0',
        pools: [{ ...this.pool, capacityBytes: this.capacityBytes, usedBytes: 0, problem: this.poolProblem }],
        keystore: this.#keystoreReport(),
      },
      domains: [
        ...[...this.domains].map(([vmId, token]) => ({ vmId, token, state: 'Running' as const })),
        ...[...this.#started]
          .filter(([vmId]) => !this.domains.has(vmId))
          .map(([vmId, token]) => ({ vmId, token, state: 'Stopped' as const })),
      ],
    };
  }

  #fence(vmId: string, token: number): void {
    if (token < (this.#tokens.get(vmId) ?? 0)) throw refusal('SLIPWAY_FENCED', `operation ${token} is fenced`);
    this.#tokens.set(vmId, token);
  }

  #removeVolumes(volumeId: string, upToToken: number): void {
    for (const name of this.volumes) {
      const [id, of] = name.split('.');
      if (id === volumeId && Number(of) <= upToToken) this.volumes.delete(name);
    }
  }

  /** What activities do without an override; all but the watch, which lasts as long as a worker. */
  protected defaults(): Omit<FakeActivities, 'watchHost'> {
    return {
      applyCertificates: async (told, packed) => {
        const desired = await orderedKeystore(told, packed);
        if (desired.generation < this.keystore.generation) {
          throw refusal('SLIPWAY_FENCED', `generation ${desired.generation} is fenced`);
        }
        this.keystore = desired;
        return { report: this.#keystoreReport(), rejected: [] };
      },
      dismissHost: () => Promise.resolve(),
      hello: () => Promise.resolve({ ...this.status(), partials: [{ poolId: this.poolId, copies: this.partials }] }),
      probeUrl: () =>
        Promise.resolve({ isMetalink: false, hasPieces: false, sizeBytes: 1000, virtualSizeBytes: 2000, mirrors: [] }),
      readSources: ({ url }) =>
        Promise.resolve({ isMetalink: false, hasPieces: false, digests: [], dropped: [], tiers: [tier(url.display)] }),
      downloadTier: ({ copy, tier: { mirrors } }) => {
        this.copies.add(templateFileName(copy));
        return Promise.resolve({
          sizeBytes: 1000,
          resumedFromBytes: 0,
          digests: [],
          mirrors: mirrors.map((url) => ({ url, outcome: 'used' as const, bytes: 1000 })),
        });
      },
      verifyChecksum: () => Promise.resolve(),
      installTemplate: ({ copy }) =>
        Promise.resolve({
          installPath: templateFileName(copy),
          virtualSizeBytes: 2000,
          physicalSizeBytes: 1000,
          allocatedBytes: 500,
        }),
      discardTemplateCopy: ({ copy }) => Promise.resolve(void this.copies.delete(templateFileName(copy))),
      removeTemplateCopy: ({ copy }) => {
        this.copies.delete(templateFileName(copy));
        return Promise.resolve({ overlays: [], usedBytes: 0 });
      },
      removeVolumeFiles: ({ vmId, token, volumeId, upToToken }) => {
        this.#fence(vmId, token);
        this.#removeVolumes(volumeId, upToToken);
        return Promise.resolve();
      },
      setBandwidth: () => Promise.resolve(),
      sweepPartials: () => Promise.resolve([]),
      takeInventory: ({ poolIds }) =>
        Promise.resolve({
          bootId: this.bootId,
          pools: poolIds.map((poolId) => ({ poolId, files: [...this.copies, ...this.volumes], recentFiles: [] })),
          vmIds: [...this.domains.keys()],
          keptVmIds: [],
        }),
      settleInventory: ({ orphans, missing }) => {
        for (const { fileName } of orphans) {
          this.copies.delete(fileName);
          this.volumes.delete(fileName);
        }
        const isMissing = ({ fileName }: { fileName: string }) =>
          !this.copies.has(fileName) && !this.volumes.has(fileName);
        return Promise.resolve({ removed: orphans, inUse: [], missing: missing.filter(isMissing) });
      },
      createRootVolume: ({ vmId, volumeId, token, disk }) => {
        this.#fence(vmId, token);
        const fileName = `${volumeId}.${token}`;
        this.volumes.add(fileName);
        this.disks.set(fileName, disk);
        return Promise.resolve({ fileName, virtualSizeBytes: disk.sizeBytes ?? 2000 });
      },
      startDomain: ({ spec, token }) => {
        this.#fence(spec.vmId, token);
        this.domains.set(spec.vmId, token);
        this.discs.set(spec.vmId, spec.iso);
        this.#started.set(spec.vmId, token);
        return Promise.resolve();
      },
      changeIso: ({ vmId, token, iso }) => {
        this.#fence(vmId, token);
        if (this.domains.has(vmId)) this.discs.set(vmId, iso);
        return Promise.resolve();
      },
      readConsole: async ({ vmId, lengthBytes, replyKey }) => {
        const end = Buffer.from(this.consoles.get(vmId) ?? '').subarray(-lengthBytes);
        return { sealed: await sealJson({ base64: end.toString('base64') }, replyKey) };
      },
      vncDisplay: ({ vmId }) => Promise.resolve({ port: this.domains.has(vmId) ? 5900 : null }),
      stopDomain: ({ vmId, token }) => {
        this.#fence(vmId, token);
        return Promise.resolve(void this.domains.delete(vmId));
      },
      rebootDomain: ({ vmId, token }) => {
        this.#fence(vmId, token);
        if (this.domains.has(vmId)) return Promise.resolve();
        return Promise.reject(refusal('SLIPWAY_HYPERVISOR', `VM ${vmId} does not run on this host`));
      },
      isDomainAlive: ({ vmId, token }) => {
        this.#fence(vmId, token);
        return Promise.resolve(this.domains.has(vmId));
      },
      removeDeployment: ({ vmId, volumeId, token }) => {
        this.#fence(vmId, undoToken(token));
        this.domains.delete(vmId);
        this.#started.delete(vmId);
        this.#removeVolumes(volumeId, token);
        return Promise.resolve();
      },
    };
  }
}
