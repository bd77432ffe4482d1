import { setTimeout as sleep } from 'node:timers/promises';
import { and, eq, inArray, isNull, ne } from 'drizzle-orm';
import { CloudStackApiError } from '../../cli/cloudstack-client.js';
import {
  asyncJob,
  directDownloadCertificate,
  host,
  JOB_STATUS,
  storagePool,
  vmInstance,
  vmTemplate,
} from '../../db/schema/index.js';
import { COMPONENTS, PROCESS_FAULTS } from '../faults/fault-matrix.js';
import { strike } from '../faults/strike.js';
import type { RunId } from '../support/await-step.js';
import type { ProvingGround } from '../support/proving-ground.js';
import { type Call, chooseCall, type Ids, type Present } from './choose-call.js';
import { findViolations } from './find-violations.js';
import { JOB_OPERATIONS, WORKFLOW_FAULTS, type WorkflowFault } from './operations.js';
import { Random } from './random.js';
import { settle } from './settle.js';
import type { Sources } from './sources.js';
import type { Tally } from './tally.js';

const OPERATION_EVERY_MS = [200, 2_500] as const;
const FAULT_EVERY_MS = [4_000, 20_000] as const;
const CHECK_EVERY_MS = [5_000, 5_000] as const;
/** Of the calls, how many are followed by what is done to a job, or to a workflow that nobody asked for. */
const DISTURBED_JOBS = 0.13;
const DISTURBED_WORKFLOWS = 0.1;

interface SoakOptions {
  ground: ProvingGround;
  seed: number;
  tally: Tally;
  sources: Sources;
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
    const { ground, seed, tally, onLine } = this.#options;
    const ids = await this.#ids();
    // One for each: the faults of a seed do not depend on how many calls there were before.
    const [calls, faults] = [new Random(seed), new Random(seed + 1)];
    this.#untilMs = Date.now() + durationMs;
    await Promise.all([
      this.#repeat(calls, OPERATION_EVERY_MS, () => this.#operate(calls, ids)),
      this.#repeat(faults, FAULT_EVERY_MS, () => this.#fail(faults)),
      this.#repeat(new Random(seed), CHECK_EVERY_MS, () => this.#check()),
    ]);
    await settle(ground, tally, onLine);
    await this.#countJobs();
  }

  async #repeat(random: Random, [from, to]: readonly [number, number], work: () => Promise<void>): Promise<void> {
    while (Date.now() < this.#untilMs) {
      await work();
      await sleep(random.between(from, to));
    }
  }

  async #ids(): Promise<Ids> {
    const { client } = this.#options.ground.test;
    const first = async (command: string, key: string, parameters = {}): Promise<string> =>
      ((await client.call(command, parameters))[key] as { id: string }[])[0]!.id;
    const keypair = 'soak';
    await client.call('createSSHKeyPair', { name: keypair });
    return {
      zoneid: await first('listZones', 'zone'),
      ostypeid: await first('listOsTypes', 'ostype'),
      serviceofferingid: await first('listServiceOfferings', 'serviceoffering', { name: 'Small Instance' }),
      diskofferingid: await first('listDiskOfferings', 'diskoffering', { name: 'Small' }),
      keypair,
    };
  }

  async #operate(random: Random, ids: Ids): Promise<void> {
    const { ground, sources } = this.#options;
    const chance = random.next();
    if (chance < DISTURBED_JOBS) return this.#disturbJob(random);
    if (chance < DISTURBED_JOBS + DISTURBED_WORKFLOWS) return this.#disturbWorkflow(random);
    const { db } = ground;
    const present = await ground.persist('what there is', async (): Promise<Present> => ({
      vms: await db.select().from(vmInstance).where(ne(vmInstance.state, 'Expunged')),
      images: await db
        .select()
        .from(vmTemplate)
        .where(and(isNull(vmTemplate.removed), eq(vmTemplate.state, 'Active'))),
      hosts: await db.select().from(host),
      pools: await db.select().from(storagePool),
      certificates: await db.select().from(directDownloadCertificate),
    }));
    const call = chooseCall(random, present, sources, ids);
    if (call.command === 'refreshTemplate') await sources.change();
    return this.#call(call);
  }

  /** Notes the answer; a job's end is noted when everything is over. */
  async #call({ command, parameters }: Call): Promise<void> {
    const { ground, tally } = this.#options;
    tally.count(command, 'asked');
    try {
      const jobid = jobOf(await ground.test.client.call(command, parameters));
      if (jobid !== undefined) this.#jobs.set(jobid, command);
      else tally.count(command, 'succeeded');
    } catch (error) {
      if (!(error instanceof CloudStackApiError)) return tally.count(command, 'unanswered');
      tally.count(command, 'refused');
      if (error.errortext.includes('internal error')) tally.violated(`${command}: ${error.errortext}`);
    }
  }

  async #disturbJob(random: Random): Promise<void> {
    const { ground } = this.#options;
    const jobs = await ground.persist('the jobs', () =>
      ground.db.select().from(asyncJob).where(eq(asyncJob.jobStatus, JOB_STATUS.inProgress)),
    );
    const job = random.pick(jobs);
    const { name } = random.weighted(JOB_OPERATIONS);
    if (!job) return;
    if (name === 'cancelJob') return this.#call({ command: name, parameters: { jobid: job.id } });
    if (job.runId) await this.#strike(name, { workflowId: job.workflowId, runId: job.runId });
  }

  /** One that works in the background, or for others: a stage, an eviction, the removal of a disk, … */
  async #disturbWorkflow(random: Random): Promise<void> {
    const { temporal } = this.#options.ground;
    const kinds = new Map<string, RunId[]>();
    try {
      // The life of a host is looked after by its worker only, when that starts.
      const query = 'ExecutionStatus = "Running" and WorkflowType != "hostLifecycle"';
      for await (const { type, workflowId, runId } of temporal.workflow.list({ query })) {
        kinds.set(type, [...(kinds.get(type) ?? []), { workflowId, runId }]);
      }
    } catch {
      // Temporal is away.
      return;
    }
    // Each kind as often: most of them work on VMs.
    const run = random.pick(random.pick([...kinds.values()]) ?? []);
    const fault = random.pick(WORKFLOW_FAULTS)!;
    if (run) await this.#strike(fault, run);
  }

  async #strike(fault: WorkflowFault, workflow: RunId): Promise<void> {
    const { ground, tally } = this.#options;
    const what = `${fault} ${workflow.workflowId.replace(/-.*/, '')}-…`;
    tally.count(what, 'asked');
    await strike(ground, { target: 'workflow', fault }, { vmId: '', workflow, stage: undefined }).then(
      () => tally.count(what, 'succeeded'),
      // It has ended meanwhile, or Temporal is away.
      () => tally.count(what, 'refused'),
    );
  }

  async #fail(random: Random): Promise<void> {
    const { ground, tally, onLine } = this.#options;
    const target = random.pick(COMPONENTS)!;
    const fault = random.pick(PROCESS_FAULTS)!;
    const alive = inArray(vmInstance.state, ['Starting', 'Running', 'Stopping']);
    const vms = await ground.persist('the VMs', () => ground.db.select().from(vmInstance).where(alive));
    const vmId = random.pick(vms)?.id ?? ground.test.installation.hosts[0]!.id;
    onLine(`${target} ${fault}`);
    tally.count(`${target} ${fault}`, 'asked');
    await strike(ground, { target, fault }, { vmId, workflow: undefined, stage: undefined });
    tally.count(`${target} ${fault}`, 'succeeded');
  }

  async #check(): Promise<void> {
    const { ground, tally } = this.#options;
    for (const violation of await ground.persist('what must hold', () => findViolations(ground.db))) {
      tally.violated(violation);
    }
  }

  async #countJobs(): Promise<void> {
    const { ground, tally } = this.#options;
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

/** Where a list has it, as the answer of prepareTemplate, in its first item. */
function jobOf(answer: Record<string, unknown>): string | undefined {
  const [item] = (Array.isArray(answer['template']) ? answer['template'] : [answer]) as Record<string, unknown>[];
  const jobid = item?.['jobid'];
  return typeof jobid === 'string' ? jobid : undefined;
}

const ENDS: Record<number, 'succeeded' | 'failed' | 'cancelled'> = { 1: 'succeeded', 2: 'failed', 3: 'cancelled' };
