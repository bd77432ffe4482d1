import type { ImageFormat } from './images.js';

/** What a host needs to start a VM: libvirt's words, no paths outside a pool. */
export interface DomainSpec {
  vmId: string;
  /** CloudStack's instance name; the libvirt domain's name. */
  instanceName: string;
  displayName: string;
  cpus: number;
  memoryBytes: number;
  /** Pool and file name of the root disk. */
  poolId: string;
  rootVolume: string;
  /** File name of the ISO in the CD-ROM drive, on the same pool; null when the drive is empty. */
  iso: string | null;
  /** From the CD-ROM first: there is nothing on the disk yet. */
  bootsFromIso: boolean;
  nics: NicSpec[];
  /** JSON of a `GuestSecrets`, encrypted to the host's public key. */
  sealedGuest: string;
}

export interface NicSpec {
  /** Lower case, with colons. */
  macAddress: string;
  /** `User` is QEMU's own network behind the host's address; `L2` the bridge that the host has for guests. */
  type: 'User' | 'L2';
  /** IEEE 802.1Q, of an L2 network. */
  vlan: number | null;
}

/** What a guest is given and what nobody else may read. */
export interface GuestSecrets {
  /** What the guest calls itself. */
  hostName: string;
  /** By which cloud-init knows whether it has been at this guest before; the id of the VM when missing. */
  instanceId?: string;
  /** The bytes, in base64. */
  userData?: string;
  /** In OpenSSH's one-line form. */
  sshPublicKeys: string[];
  vncPassword: string;
}

/** What a guest wrote to its serial console: any bytes, in base64, since JSON would make six of some. */
export interface ConsoleText {
  base64: string;
}

/** How a root disk comes to be. */
export type RootDisk =
  /** On top of a template, or as a copy of its own of it; `sizeBytes` is at least the template's size, which is the default. */
  | { type: 'overlay' | 'copy'; template: string; templateFormat: ImageFormat; sizeBytes: number | null }
  | { type: 'blank'; sizeBytes: number };

/** What one try of a VM holds on one host. */
export interface Placement {
  vmId: string;
  hostId: string;
  hostName: string;
  poolId: string;
  volumeId: string;
  /** Token of the try. Its undo uses `undoToken`, so that the try itself, when late, is refused. */
  token: number;
  /**
   * Token of the operation that ends the VM for good: what is removed is then of whatever has come until then. A disk may
   * be newer than the try that holds the space, as after a restore of a Stopped VM.
   */
  endToken?: number | null;
  /** Its host was revoked: nothing is asked of it. */
  isRevoked?: boolean;
}

/** A placement without what else stands beside it, which no history needs again. */
export const placementOf = ({ vmId, hostId, hostName, poolId, volumeId, token }: Placement): Placement => ({
  vmId,
  hostId,
  hostName,
  poolId,
  volumeId,
  token,
});

/** What a host has yet to undo. */
export interface Debt extends Placement {
  /** The domain alone is to end: the VM was destroyed and can be recovered. */
  keepsDisk: boolean;
  /** At once, without asking the guest: it has only just been started, or another host runs it on the same disk. */
  isForced?: boolean;
  /** It may be none: the host has to say once more that the domain is there. */
  isDoubtful?: boolean;
}

/** Tokens are given out in pairs: the even one to the try, the next to its undo. */
export const TOKENS_PER_TRY = 2;
/**
 * The token of whatever ends a try: undo, stop and expunge alike, so that none of them shuts out another that follows.
 */
export const undoToken = (token: number): number => token + 1;

/** Everything a deployment on one host needs. */
export interface Deployment extends Placement {
  accountId: string;
  zoneId: string;
  templateId: string;
  templateName: string;
  generation: number;
  /** Of the template. An ISO goes to the CD-ROM drive, and the root disk begins blank. */
  format: ImageFormat;
  /** The ISO in its CD-ROM drive, which may be its template; null for none. */
  disc?: Disc | null;
  rootDisk: { sizeBytes: number | null; isCopy: boolean };
  domain: Omit<DomainSpec, 'rootVolume'>;
}

/** An ISO that has to be on the pool before the VM starts. */
export interface Disc {
  templateId: string;
  templateName: string;
  generation: number;
}

export interface VirtualMachineJobInput {
  vmId: string;
  jobId: string;
}

export interface DeployVirtualMachineInput extends VirtualMachineJobInput {
  /** For the whole deployment, however many hosts it tries; the setting `deployment.deadline`. */
  deadlineMs: number;
  /** What operators find the workflow by, beside the VM. */
  zoneId?: string;
  templateId?: string;
  within?: Within;
}

export interface DestroyVirtualMachineInput extends VirtualMachineJobInput {
  expunge: boolean;
}

/** The only host, pod or cluster that is to be tried; where several are named, what is in all of them. */
export interface Within {
  hostId?: string;
  podId?: string;
  clusterId?: string;
}

/** Any host that reaches the root disk is tried when no place is named. */
export interface StartVirtualMachineInput extends VirtualMachineJobInput, Within {}

/** A try to start a VM from the root disk that it has. */
export interface StartOrder extends Placement {
  domain: DomainSpec;
}

/** Another operation that stops or starts a VM on its way ends its own job. */
export interface StepOfOperation {
  isStep?: boolean;
}

export interface StopVirtualMachineInput extends VirtualMachineJobInput {
  /** At once, without asking the guest. */
  isForced: boolean;
}

export type RebootVirtualMachineInput = StopVirtualMachineInput;

/** The VM that a stop or a reboot works on, and how long its guest may take. */
export interface RunningPlacement extends Placement {
  timeoutMs: number;
}

export interface RestoreVirtualMachineInput extends VirtualMachineJobInput {
  /** Another template or ISO; the one that it was made from when absent. */
  templateId?: string;
  /** Of the new root disk. */
  sizeBytes?: number;
  diskOfferingId?: string;
  /** It was Running when it was asked for, and is to be afterwards. */
  isToRun: boolean;
}

export interface AttachIsoInput extends VirtualMachineJobInput {
  isoId: string;
}
