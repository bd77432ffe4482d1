/** When a fault strikes: as soon as the activity of this type is scheduled; without one, when the operation was asked for. */
export interface Step {
  name: string;
  /** The operation's own, the download that it waits for, or the child that tells hosts. */
  workflow: 'own' | 'stage' | 'child';
  activity?: string;
  /** Only once it has reported progress. */
  isUnderWay?: boolean;
  /** The mirror is in use. */
  isReading?: boolean;
}

const ANSWERED: Step = { name: 'job row inserted', workflow: 'own' };

/** Of operations on a VM. */
export const VM_STEPS = {
  deploy: [
    ANSWERED,
    { name: 'claiming a host', workflow: 'own', activity: 'claimHost' },
    { name: 'reading sources', workflow: 'stage', activity: 'readSources', isReading: true },
    { name: 'downloading', workflow: 'stage', activity: 'downloadTier', isUnderWay: true, isReading: true },
    { name: 'verifying', workflow: 'stage', activity: 'verifyChecksum' },
    { name: 'installing', workflow: 'stage', activity: 'installTemplate' },
    { name: 'the copy becomes Ready', workflow: 'stage', activity: 'finishStage' },
    { name: 'creating the root disk', workflow: 'own', activity: 'createRootVolume' },
    { name: 'starting the domain', workflow: 'own', activity: 'startDomain' },
    { name: 'recording', workflow: 'own', activity: 'recordRunning' },
  ],
  stop: [
    ANSWERED,
    { name: 'looking where it runs', workflow: 'own', activity: 'beginStop' },
    { name: 'stopping the domain', workflow: 'own', activity: 'stopDomain' },
    { name: 'recording', workflow: 'own', activity: 'recordStopped' },
  ],
  start: [
    ANSWERED,
    { name: 'claiming a host', workflow: 'own', activity: 'claimStart' },
    { name: 'starting the domain', workflow: 'own', activity: 'startDomain' },
    { name: 'recording', workflow: 'own', activity: 'recordStarted' },
  ],
  // The downloads of a deployment are in it too, and are not struck once more.
  'first start': [
    ANSWERED,
    { name: 'claiming a host', workflow: 'own', activity: 'claimHost' },
    { name: 'creating the root disk', workflow: 'own', activity: 'createRootVolume' },
    { name: 'starting the domain', workflow: 'own', activity: 'startDomain' },
    { name: 'recording', workflow: 'own', activity: 'recordRunning' },
  ],
  restore: [
    ANSWERED,
    { name: 'space for a new disk', workflow: 'own', activity: 'beginRestore' },
    { name: 'stopping the domain', workflow: 'own', activity: 'stopDomain' },
    { name: 'creating the new disk', workflow: 'own', activity: 'createRootVolume' },
    { name: 'swapping the disks', workflow: 'own', activity: 'recordNewDisk' },
    { name: 'starting the domain', workflow: 'own', activity: 'startDomain' },
    { name: 'recording', workflow: 'own', activity: 'recordRestored' },
  ],
  destroy: [
    ANSWERED,
    { name: 'looking what it holds', workflow: 'own', activity: 'beginDestroy' },
    { name: 'stopping the domain', workflow: 'own', activity: 'stopDomain' },
    { name: 'recording', workflow: 'own', activity: 'recordDestroyed' },
  ],
  expunge: [
    ANSWERED,
    { name: 'looking what it holds', workflow: 'own', activity: 'beginDestroy' },
    { name: 'removing domain and disk', workflow: 'own', activity: 'removeDeployment' },
    { name: 'recording', workflow: 'own', activity: 'recordDestroyed' },
  ],
} as const satisfies Record<string, readonly Step[]>;

const KEYSTORE_STEPS = [
  { name: 'which hosts differ', workflow: 'own', activity: 'listDueKeystores' },
  { name: 'what they are to have', workflow: 'own', activity: 'planKeystores' },
  { name: 'hosts write it', workflow: 'child', activity: 'applyCertificates' },
  { name: 'recording', workflow: 'own', activity: 'recordKeystores' },
] as const satisfies readonly Step[];

const CHANGED: Step = { name: 'rows changed', workflow: 'own' };

/** Of what brings certificates to the hosts of a zone. */
export const CERTIFICATE_STEPS = {
  'certificate push': [CHANGED, ...KEYSTORE_STEPS],
  'certificate revocation': [CHANGED, ...KEYSTORE_STEPS],
  'certificate sync': [
    { name: 'triggered', workflow: 'own' },
    { name: 'which certificates end soon', workflow: 'own', activity: 'warnOfExpiry' },
    ...KEYSTORE_STEPS,
  ],
} as const satisfies Record<string, readonly Step[]>;

export type VmOperation = keyof typeof VM_STEPS;
export type CertificateOperation = keyof typeof CERTIFICATE_STEPS;
export type Operation = VmOperation | CertificateOperation;

export const isCertificateOperation = (operation: Operation): operation is CertificateOperation =>
  operation in CERTIFICATE_STEPS;
