/** A process of the installation, or a server that it needs. */
export const COMPONENTS = [
  'gateway',
  'control worker',
  'host worker',
  'Temporal',
  'PostgreSQL',
  'mirror',
  'libvirtd',
] as const;
export type Component = (typeof COMPONENTS)[number];

export const PROCESS_FAULTS = ['SIGKILL', 'SIGSTOP'] as const;
const WORKFLOW_FAULTS = ['cancel', 'terminate', 'reset'] as const;
export type Fault = (typeof PROCESS_FAULTS)[number] | (typeof WORKFLOW_FAULTS)[number];

/** When it strikes: as soon as the activity of this type is scheduled; without one, when the API has answered. */
export interface Step {
  name: string;
  workflow: 'vm' | 'stage';
  activity?: string;
  /** Only once it has reported progress. */
  isUnderWay?: boolean;
  /** The mirror is in use. */
  isReading?: boolean;
}

const ANSWERED: Step = { name: 'job row inserted', workflow: 'vm' };

const STEPS = {
  deploy: [
    ANSWERED,
    { name: 'claiming a host', workflow: 'vm', activity: 'claimHost' },
    { name: 'reading sources', workflow: 'stage', activity: 'readSources', isReading: true },
    { name: 'downloading', workflow: 'stage', activity: 'downloadTier', isUnderWay: true, isReading: true },
    { name: 'verifying', workflow: 'stage', activity: 'verifyChecksum' },
    { name: 'installing', workflow: 'stage', activity: 'installTemplate' },
    { name: 'the copy becomes Ready', workflow: 'stage', activity: 'finishStage' },
    { name: 'creating the root disk', workflow: 'vm', activity: 'createRootVolume' },
    { name: 'starting the domain', workflow: 'vm', activity: 'startDomain' },
    { name: 'recording', workflow: 'vm', activity: 'recordRunning' },
  ],
  stop: [
    ANSWERED,
    { name: 'looking where it runs', workflow: 'vm', activity: 'beginStop' },
    { name: 'stopping the domain', workflow: 'vm', activity: 'stopDomain' },
    { name: 'recording', workflow: 'vm', activity: 'recordStopped' },
  ],
  start: [
    ANSWERED,
    { name: 'claiming a host', workflow: 'vm', activity: 'claimStart' },
    { name: 'starting the domain', workflow: 'vm', activity: 'startDomain' },
    { name: 'recording', workflow: 'vm', activity: 'recordStarted' },
  ],
  restore: [
    ANSWERED,
    { name: 'space for a new disk', workflow: 'vm', activity: 'beginRestore' },
    { name: 'stopping the domain', workflow: 'vm', activity: 'stopDomain' },
    { name: 'creating the new disk', workflow: 'vm', activity: 'createRootVolume' },
    { name: 'swapping the disks', workflow: 'vm', activity: 'recordNewDisk' },
    { name: 'starting the domain', workflow: 'vm', activity: 'startDomain' },
    { name: 'recording', workflow: 'vm', activity: 'recordRestored' },
  ],
  destroy: [
    ANSWERED,
    { name: 'looking what it holds', workflow: 'vm', activity: 'beginDestroy' },
    { name: 'stopping the domain', workflow: 'vm', activity: 'stopDomain' },
    { name: 'recording', workflow: 'vm', activity: 'recordDestroyed' },
  ],
  expunge: [
    ANSWERED,
    { name: 'looking what it holds', workflow: 'vm', activity: 'beginDestroy' },
    { name: 'removing domain and disk', workflow: 'vm', activity: 'removeDeployment' },
    { name: 'recording', workflow: 'vm', activity: 'recordDestroyed' },
  ],
} as const satisfies Record<string, readonly Step[]>;

export type Operation = keyof typeof STEPS;

export interface Cell {
  operation: Operation;
  step: Step;
  /** `workflow` is the operation's own, `stage` the one of the download that it waits for. */
  target: Component | 'workflow' | 'stage';
  fault: Fault;
}

export const describeCell = ({ operation, step, target, fault }: Cell): string =>
  `${operation}, ${step.name}: ${target} ${fault}`;

/** Every fault of every component, and of the workflow itself, at each step of each operation. */
export function faultMatrix(): Cell[] {
  const cells: Cell[] = [];
  for (const [operation, steps] of Object.entries(STEPS) as [Operation, readonly Step[]][]) {
    for (const step of steps) {
      for (const target of COMPONENTS) {
        if (target === 'mirror' && !step.isReading) continue;
        for (const fault of PROCESS_FAULTS) cells.push({ operation, step, target, fault });
      }
      for (const fault of WORKFLOW_FAULTS) {
        cells.push({ operation, step, target: 'workflow', fault });
        if (step.workflow === 'stage') cells.push({ operation, step, target: 'stage', fault });
      }
    }
  }
  return cells;
}

/**
 * Cells that have each operation, each component and each fault at least once. Spread over the matrix by a stride, so
 * that the same few steps are not taken again and again; always the same ones, so that a failure can be repeated. Those
 * that wait for a time-out are taken only where nothing else will do.
 */
export function sampleOf(cells: readonly Cell[], count: number): Cell[] {
  const mixed = cells.map((_, index) => cells[(index * STRIDE) % cells.length]!);
  const spread = [...mixed.filter((cell) => !isLong(cell)), ...mixed.filter(isLong)];
  const covered = new Set<string>();
  const news = ({ operation, target, fault }: Cell): number =>
    [operation, target, fault].filter((trait) => !covered.has(trait)).length;
  const chosen = new Set<Cell>();
  for (;;) {
    const next = spread.reduce((best, cell) => (news(cell) > news(best) ? cell : best));
    if (news(next) === 0) break;
    chosen.add(next);
    for (const trait of [next.operation, next.target, next.fault]) covered.add(trait);
  }
  return [...new Set([...chosen, ...spread])].slice(0, Math.max(count, chosen.size));
}

/** A worker that is killed in the middle of short work is missed after 15 s or 30 s, a stage that is gone after 20 s. */
const isLong = ({ target, fault, step }: Cell): boolean =>
  fault === 'SIGKILL'
    ? target === 'control worker' || target === 'libvirtd' || (target === 'host worker' && !step.isUnderWay)
    : target === 'stage' && fault === 'terminate';

/** A prime: every cell has its turn. */
const STRIDE = 97;

/**
 * The states in which the VM may be in the end. A component that fails for seconds delays, and changes nothing, but for
 * those on the host: there an operation may fail, with a reason, rather than be repeated. Whoever waits for a stage that
 * was ended begins it again.
 */
export function mayEndIn({ operation, target, fault }: Cell): string[] {
  const [done, notDone] = OUTCOMES[operation];
  const isOnHost = target === 'libvirtd' || target === 'host worker';
  const isEnded = target === 'workflow' && (fault === 'cancel' || fault === 'terminate');
  return isOnHost || isEnded ? [done, notDone] : [done];
}

const OUTCOMES: Record<Operation, [done: string, notDone: string]> = {
  deploy: ['Running', 'Error'],
  stop: ['Stopped', 'Running'],
  start: ['Running', 'Stopped'],
  // With its new disk, or with the old one. Stopped only where it cannot be started from that either.
  restore: ['Running', 'Stopped'],
  // Whatever ends their workflows, they are begun again.
  destroy: ['Destroyed', 'Destroyed'],
  expunge: ['Expunged', 'Expunged'],
};
