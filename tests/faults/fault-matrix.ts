import { CERTIFICATE_STEPS, isCertificateOperation, type Operation, type Step, VM_STEPS } from './operation-steps.js';

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
export const WORKFLOW_FAULTS = ['cancel', 'terminate', 'reset'] as const;
export type Fault = (typeof PROCESS_FAULTS)[number] | (typeof WORKFLOW_FAULTS)[number];

export interface Cell<Of extends Operation = Operation> {
  operation: Of;
  step: Step;
  /** `workflow` is the operation's own; the others are those of its steps. */
  target: Component | 'workflow' | 'stage' | 'child';
  fault: Fault;
}

export const describeCell = ({ operation, step, target, fault }: Cell): string =>
  `${operation}, ${step.name}: ${target} ${fault}`;

/** Every fault of every component, and of the workflow itself, at each step of each operation. */
export function faultMatrix(): Cell[] {
  const cells: Cell[] = [];
  const all = Object.entries({ ...VM_STEPS, ...CERTIFICATE_STEPS }) as [Operation, readonly Step[]][];
  for (const [operation, steps] of all) {
    for (const step of steps) {
      for (const target of COMPONENTS) {
        if (target === 'mirror' && !step.isReading) continue;
        if (target === 'libvirtd' && isCertificateOperation(operation)) continue;
        for (const fault of PROCESS_FAULTS) cells.push({ operation, step, target, fault });
      }
      for (const fault of WORKFLOW_FAULTS) {
        cells.push({ operation, step, target: 'workflow', fault });
        if (step.workflow !== 'own') cells.push({ operation, step, target: step.workflow, fault });
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
 * How the VM, or the certificate on a host, may be in the end. A component that fails for seconds delays, and changes
 * nothing, but for those on the host: there an operation on a VM may fail, with a reason, rather than be repeated. Whoever
 * waits for a stage that was ended begins it again.
 */
export function mayEndIn({ operation, target, fault }: Cell): string[] {
  const [done, notDone] = OUTCOMES[operation];
  const isOnHost = target === 'libvirtd' || (target === 'host worker' && !isCertificateOperation(operation));
  const isEnded = target === 'child' || (target === 'workflow' && (fault === 'cancel' || fault === 'terminate'));
  return isOnHost || isEnded ? [done, notDone] : [done];
}

const OUTCOMES: Record<Operation, [done: string, notDone: string]> = {
  deploy: ['Running', 'Error'],
  stop: ['Stopped', 'Running'],
  start: ['Running', 'Stopped'],
  'first start': ['Running', 'Stopped'],
  // With its new disk, or with the old one. Stopped only where it cannot be started from that either.
  restore: ['Running', 'Stopped'],
  // Whatever ends their workflows, they are begun again.
  destroy: ['Destroyed', 'Destroyed'],
  expunge: ['Expunged', 'Expunged'],
  'certificate push': ['UPLOADED', 'UPLOADED'],
  'certificate revocation': ['REVOKED', 'REVOKED'],
  // What could not be brought to a host waits for the next round.
  'certificate sync': ['UPLOADED', 'FAILED'],
};
