import { setTimeout as sleep } from 'node:timers/promises';
import { eq, isNull, ne } from 'drizzle-orm';
import { CloudStackApiError } from '../../cli/cloudstack-client.js';
import { asyncJob, JOB_STATUS, vmInstance, vmTemplate } from '../../db/schema/index.js';
import { COMPONENTS, PROCESS_FAULTS } from '../faults/fault-matrix.js';
import { strike } from '../faults/strike.js';
import type { ProvingGround } from '../support/proving-ground.js';
import { waitFor } from '../support/wait-for.js';
import { findViolations } from './find-violations.js';
import { JOB_OPERATIONS, VM_OPERATIONS } from './operations.js';
import type { Random } from './random.js';
import type { Tally } from './tally.js';

const MOST_VMS = 6;
const MOST_TEMPLATES = 4;
const OPERATION_EVERY_MS = [200, 2_500] as const;
const FAULT_EVERY_MS = [4_000, 20_000] as const;
const CHECK_EVERY_MS = 5_000;
/** How often an operation is asked for that makes no sense in the state of the VM. */
const NONSENSE = 0.1;
const DRAIN_MS = 240_000;

interface SoakOptions {
  ground: ProvingGround;
  random: Random;
  tally: Tally;
  /** Of disks that differ. */
  urls: { url: string; sha256: string }[];
  onLine: (line: string) => void;
}

/** Random operations and random faults, side by side, until the time is over; then everything is brought to an end. */
export class Soak {
  readonly #options: SoakOptions;
  readonly #jobs = new Map<string, string>();
  #untilMs = 0;

  constructor(options: SoakOptions) {
    this.#options = options;
  }

  async run(durationMs: number): Promise<void> {
    this.#untilMs = Date.now() + durationMs;
    await Promise.all([
      this.#repeat(OPERATION_EVERY_MS, () => this.#operate()),
      this.#repeat(FAULT_EVERY_MS, () => this.#fail()),
      this.#repeat([CHECK_EVERY_MS, CHECK_EVERY_MS], () => this.#check()),
    ]);
    await this.#drain();
  }

  async #repeat([from, to]: readonly [number, number], work: () => Promise<void>): Promise<void> {
    while (Date.now() < this.#untilMs) {
      await work();
      await sleep(this.#options.random.between(from, to));
    }
  }

  async #operate(): Promise<void> {
    const { ground, random } = this.#options;
    const state = await ground.persist('what there is', async () => ({
      vms: await ground.db.select().from(vmInstance).where(ne(vmInstance.state, 'Expunged')),
      templates: await ground.db.select().from(vmTemplate).where(isNull(vmTemplate.removed)),
      jobs: await ground.db.select().from(asyncJob).where(eq(asyncJob.jobStatus, JOB_STATUS.inProgress)),
    }));
    const { vms, templates, jobs } = state;
    const chance = random.next();
    const template = random.pick(templates.filter(({ state: is }) => is === 'Active'));
    const job = random.pick(jobs);
    if (!template || (chance < 0.08 && templates.length < MOST_TEMPLATES)) return this.#register();
    if (chance < 0.12) return this.#ask('deleteTemplate', { id: template.id, forced: random.next() < 0.5 });
    if (chance < 0.25 && job) return this.#disturb(job);
    if (vms.length === 0 || (chance < 0.5 && vms.length < MOST_VMS)) return this.#deploy(template.id);
    const vm = random.pick(vms)!;
    const sensible = VM_OPERATIONS.filter(({ states }) => states.includes(vm.state));
    const operation = random.weighted(sensible.length > 0 && random.next() > NONSENSE ? sensible : VM_OPERATIONS);
    const idName = operation.command === 'restoreVirtualMachine' ? 'virtualmachineid' : 'id';
    return this.#ask(operation.command, { [idName]: vm.id, ...operation.parameters });
  }

  #register(): Promise<void> {
    const { ground, random, urls } = this.#options;
    const { url, sha256 } = random.pick(urls)!;
    return this.#call('registerTemplate', async () => {
      await ground.test.register(url, `{SHA-256}${sha256}`);
      return {};
    });
  }

  #deploy(templateId: string): Promise<void> {
    return this.#call('deployVirtualMachine', () => this.#options.ground.test.begin(templateId));
  }

  #ask(command: string, parameters: Record<string, string | boolean>): Promise<void> {
    return this.#call(command, () => this.#options.ground.test.client.call(command, parameters));
  }

  /** Notes the answer; a job's end is noted when everything is over. */
  async #call(what: string, ask: () => Promise<{ jobid?: unknown }>): Promise<void> {
    const { tally } = this.#options;
    tally.count(what, 'asked');
    try {
      const { jobid } = await ask();
      if (typeof jobid === 'string') this.#jobs.set(jobid, what);
      else tally.count(what, 'succeeded');
    } catch (error) {
      if (!(error instanceof CloudStackApiError)) return tally.count(what, 'unanswered');
      tally.count(what, 'refused');
      if (error.errortext.includes('internal error')) tally.violated(`${what}: ${error.errortext}`);
    }
  }

  async #disturb(job: typeof asyncJob.$inferSelect): Promise<void> {
    const { ground, random, tally } = this.#options;
    const { name } = random.weighted(JOB_OPERATIONS);
    if (name === 'cancelJob') return this.#ask('cancelJob', { jobid: job.id });
    if (!job.runId) return;
    tally.count(`${name} a workflow`, 'asked');
    const workflow = { workflowId: job.workflowId, runId: job.runId };
    await strike(ground, { target: 'workflow', fault: name }, { vmId: '', workflow, stage: undefined }).then(
      () => tally.count(`${name} a workflow`, 'succeeded'),
      // It has ended meanwhile, or Temporal is away.
      () => tally.count(`${name} a workflow`, 'refused'),
    );
  }

  async #fail(): Promise<void> {
    const { ground, random, tally, onLine } = this.#options;
    const target = random.pick(COMPONENTS)!;
    const fault = random.pick(PROCESS_FAULTS)!;
    const vm = random.pick(await ground.persist('the VMs', () => ground.db.select().from(vmInstance)));
    onLine(`${target} ${fault}`);
    tally.count(`${target} ${fault}`, 'asked');
    await strike(
      ground,
      { target, fault },
      { vmId: vm?.id ?? ground.test.installation.hosts[0]!.id, workflow: undefined, stage: undefined },
    );
    tally.count(`${target} ${fault}`, 'succeeded');
  }

  async #check(): Promise<void> {
    const { ground, tally } = this.#options;
    for (const violation of await ground.persist('what must hold', () => findViolations(ground.db))) {
      tally.violated(violation);
    }
  }

  async #drain(): Promise<void> {
    const { ground, tally, onLine } = this.#options;
    onLine('the end: all jobs, then all VMs, then all templates');
    await ground.isWhole();
    await this.#endJobs();
    await this.#check();
    const vms = await ground.db.select().from(vmInstance).where(ne(vmInstance.state, 'Expunged'));
    for (const { id, state } of vms) {
      await waitFor(`the domain of a VM that is ${state} is as it should be`, async () => {
        const [vm] = await ground.db.select().from(vmInstance).where(eq(vmInstance.id, id));
        return (await ground.domains()).includes(id) === (vm!.state === 'Running');
      }).catch((error: unknown) => tally.violated(String(error)));
      await ground.test.expunge(id).catch((error: unknown) => tally.violated(`expunge in the end: ${String(error)}`));
    }
    for (const { id } of await ground.db.select().from(vmTemplate).where(isNull(vmTemplate.removed))) {
      await ground.test.deleteTemplate(id, { forced: true });
    }
    await ground.test.leavesNothing().catch((error: unknown) => tally.violated(String(error)));
  }

  async #endJobs(): Promise<void> {
    const { ground, tally } = this.#options;
    const open = () => ground.db.select().from(asyncJob).where(eq(asyncJob.jobStatus, JOB_STATUS.inProgress));
    await waitFor('all jobs have ended', async () => (await open()).length === 0, DRAIN_MS).catch(async () => {
      for (const { jobCmd, id } of await open()) tally.violated(`${jobCmd}, job ${id}, does not end`);
    });
    for (const { id, jobStatus, jobResult } of await ground.db.select().from(asyncJob)) {
      const what = this.#jobs.get(id);
      // Its caller never got the answer.
      if (what === undefined) continue;
      tally.count(what, ENDS[jobStatus] ?? 'unanswered');
      const { slipwaycode, errortext } = (jobResult ?? {}) as { slipwaycode?: string; errortext?: string };
      if (slipwaycode) tally.reason(slipwaycode);
      if (slipwaycode === 'SLIPWAY_INTERNAL') tally.violated(`${what}: ${errortext}`);
    }
  }
}

const ENDS: Record<number, 'succeeded' | 'failed' | 'cancelled'> = { 1: 'succeeded', 2: 'failed', 3: 'cancelled' };
