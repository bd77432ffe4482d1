/** Facts and states that a KVM host reports. Everything here crosses Temporal: plain JSON, no secrets. */

import type { KeystoreReport } from './certificates.js';

export const DOMAIN_STATES = ['Running', 'Paused', 'Stopped', 'Crashed'] as const;
export type DomainState = (typeof DOMAIN_STATES)[number];

/**
 * A domain that carries this installation's and this host's mark; `Stopped` for one that this host started and that has
 * ended.
 */
export interface DomainReport {
  vmId: string;
  state: DomainState;
  /** Fencing token that the domain was started with. */
  token: number;
}

/** CloudStack's names. A Filesystem pool is one host's own directory; one of the others is seen by several hosts. */
export const POOL_TYPES = ['Filesystem', 'NetworkFilesystem', 'SharedMountPoint'] as const;
export type PoolType = (typeof POOL_TYPES)[number];

/** A pool as a host has it. */
export interface PoolPlace {
  poolId: string;
  type: PoolType;
  /** Its directory on this host. */
  path: string;
}

export interface PoolReport extends PoolPlace {
  capacityBytes: number;
  /** Used on the pool's file system, whoever uses it. */
  usedBytes: number;
  /** Why no new disk can be made there: not mounted, read-only, silent. The sizes are then the last that were known, or 0. */
  problem?: string | undefined;
}

export interface HostFacts {
  /** New at every start of the host worker. */
  bootId: string;
  arch: string;
  cpus: number;
  cpuSpeedMhz: number;
  memoryBytes: number;
  /** `kvm` where /dev/kvm can be used, else `qemu` (TCG, slower). */
  domainType: 'kvm' | 'qemu';
  hypervisorVersion: string;
  pools: PoolReport[];
  /** These are missing from a host that is too old to tell. */
  libvirtVersion?: string | undefined;
  slipwayVersion?: string | undefined;
  /** See `PROTOCOL_VERSION`. */
  protocolVersion?: number | undefined;
  /** The address that it reaches Temporal from; missing also where there is no way to tell. */
  ipAddress?: string | undefined;
  /** Programs and libraries that it lacks for some images or networks. */
  missingTools?: string[] | undefined;
  /** Certificates that it trusts for downloads; missing from a host that is too old to tell. */
  keystore?: KeystoreReport | undefined;
}

export interface HostStatus {
  facts: HostFacts;
  domains: DomainReport[];
}

/** What `hostLifecycle` has recorded of a host. */
export interface HostWord {
  hostId: string;
  /** By the clock of the workflow, and never the same twice; missing in one of an older version. */
  sentMs?: number | undefined;
}

export interface TellBandwidthInput {
  hostId: string;
}

/** What a stage is told about the host that it downloads on. */
export interface HostChanged extends HostWord {
  status: 'Up' | 'Down';
  bootId: string | null;
}

/** A job that works on a host. */
export interface HostJobInput {
  hostId: string;
  jobId: string;
}

export interface PrepareHostForMaintenanceInput extends HostJobInput {
  /** Otherwise they run on, and the host is in maintenance when the last of them has left it. */
  stopsVirtualMachines: boolean;
}

export interface RemoveHostInput {
  hostId: string;
  /** Also when it is not in maintenance: it is gone for good. */
  isForced: boolean;
  accountId: string;
  userId: string;
}

/** Of what an older or broken host worker says. */
export const NO_ANSWER = 'The host answered something that no host worker answers';
