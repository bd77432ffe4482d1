import { eq } from 'drizzle-orm';
import { startJob } from '../../client/start-job.js';
import { createJob, type JobRow } from '../../db/jobs.js';
import { asyncJob, serviceOffering, user, vmInstance } from '../../db/schema/index.js';
import { takeForFirstStart } from '../../db/take-for-first-start.js';
import { createVirtualMachine } from '../../db/virtual-machines.js';
import { templateWorkflowId, vmWorkflowId } from '../../shared/workflow-ids.js';
import { addTemplate } from './add-template.js';
import type { ControlPlane } from './control-plane.js';
import { waitFor } from './wait-for.js';

interface VmOptions {
  /** Of a VM that is installed from an ISO. */
  blankDiskBytes?: number;
  deadlineMs?: number;
  /** The seeded one when absent. */
  zoneId?: string;
}

/** What the gateway does for API calls, for tests that need no gateway. */
export class Scenario {
  readonly #plane: ControlPlane;

  constructor(plane: ControlPlane) {
    this.#plane = plane;
  }

  /** A template as registerTemplate inserts it; Active unless told otherwise. */
  async template(options: Parameters<typeof addTemplate>[2] = {}): Promise<string> {
    return addTemplate(this.#plane, await this.#owner(), {
      name: 'template',
      displayText: 'template',
      url: 'http://user:secret@images.example/disk.qcow2?token=secret',
      sizeBytes: 2000,
      ...options,
    });
  }

  /** A VM with its job, as deployVirtualMachine inserts them; its workflow is not started. */
  async vm(templateId: string, options: VmOptions = {}): Promise<{ vmId: string; job: JobRow }> {
    const vmId = await this.#insert(templateId, 'Starting', options);
    return { vmId, job: await this.job('deployVirtualMachine', vmId, this.#deploymentOf(templateId, options)) };
  }

  /** A VM that is not started yet, as deployVirtualMachine with startvm=false makes it. */
  stoppedVm(templateId: string, options: VmOptions = {}): Promise<string> {
    return this.#insert(templateId, 'Stopped', options);
  }

  /** Its first start, as startVirtualMachine begins it. */
  async beginFirstStart(vmId: string, options: VmOptions = {}): Promise<JobRow> {
    if (!(await takeForFirstStart(this.#plane.db, vmId))) throw new Error('It is not Stopped, or has a disk');
    const { templateId } = await this.vmRow(vmId);
    return this.begin('startNewVirtualMachine', vmId, this.#deploymentOf(templateId, options));
  }

  async #insert(templateId: string, state: 'Starting' | 'Stopped', options: VmOptions): Promise<string> {
    const { db, seeded } = this.#plane;
    const owner = await this.#owner();
    const [offering] = await db.select().from(serviceOffering).limit(1);
    const { id } = await createVirtualMachine(db, {
      accountId: owner.accountId,
      zoneId: options.zoneId ?? seeded.zoneId,
      templateId,
      serviceOfferingId: offering!.id,
      state,
      ...(options.blankDiskBytes ? { isoId: templateId, rootDisk: { sizeBytes: options.blankDiskBytes } } : {}),
    });
    return id;
  }

  #deploymentOf(templateId: string, { deadlineMs = 600_000, zoneId = this.#plane.seeded.zoneId }: VmOptions) {
    return { deadlineMs, zoneId, templateId };
  }

  async job(workflowType: string, vmId: string, input: Record<string, unknown>): Promise<JobRow> {
    const { db } = this.#plane;
    const id = crypto.randomUUID();
    return createJob(db, {
      ...(await this.#owner()),
      id,
      jobCmd: workflowType,
      workflowType,
      workflowId: vmWorkflowId(vmId),
      workflowInput: { ...input, vmId, jobId: id },
      instanceType: 'VirtualMachine',
      instanceId: vmId,
    });
  }

  async start(job: JobRow): Promise<void> {
    await startJob(this.#plane, job);
  }

  /** Makes a job old enough for the sweeper, which leaves young ones to the gateway that made them. */
  async age({ id }: Pick<JobRow, 'id'>): Promise<void> {
    const created = new Date(Date.now() - 60_000).toISOString();
    await this.#plane.db.update(asyncJob).set({ created }).where(eq(asyncJob.id, id));
  }

  /** Deploys a VM and waits for the job's end. */
  async deploy(templateId: string, options: VmOptions = {}): Promise<{ vmId: string; job: JobRow }> {
    const { vmId, job } = await this.vm(templateId, options);
    await this.start(job);
    return { vmId, job: await this.ended(job) };
  }

  async destroy(vmId: string, expunge: boolean): Promise<JobRow> {
    return this.operate('destroyVirtualMachine', vmId, { expunge });
  }

  /** Starts the workflow of an operation on a VM, and answers at once. */
  async begin(workflowType: string, vmId: string, input: Record<string, unknown> = {}): Promise<JobRow> {
    const job = await this.job(workflowType, vmId, input);
    await this.start(job);
    return job;
  }

  /** As `begin`, and waits for the job's end. */
  async operate(workflowType: string, vmId: string, input: Record<string, unknown> = {}): Promise<JobRow> {
    return this.ended(await this.begin(workflowType, vmId, input));
  }

  /** Asks for a template to be deleted and answers at once, as deleteTemplate does. */
  async beginDeleteTemplate(
    templateId: string,
    options: { isForced?: boolean; zoneId?: string } = {},
  ): Promise<JobRow> {
    const { isForced = false, zoneId } = options;
    return this.beginTemplateJob('deleteTemplate', templateId, { isForced, zoneId });
  }

  /** Inserts the job of an operation on a template and starts its workflow. */
  async beginTemplateJob(
    workflowType: string,
    templateId: string,
    input: Record<string, unknown> = {},
    workflowId = templateWorkflowId(templateId),
  ): Promise<JobRow> {
    const id = crypto.randomUUID();
    const job = await createJob(this.#plane.db, {
      ...(await this.#owner()),
      id,
      jobCmd: workflowType,
      workflowType,
      workflowId,
      workflowInput: { ...input, templateId, jobId: id },
      instanceType: 'Template',
      instanceId: templateId,
    });
    await this.start(job);
    return job;
  }

  async deleteTemplate(templateId: string, options: { isForced?: boolean; zoneId?: string } = {}): Promise<JobRow> {
    return this.ended(await this.beginDeleteTemplate(templateId, options));
  }

  async ended(job: JobRow, timeoutMs?: number): Promise<JobRow> {
    let current = job;
    const hasEnded = async () => {
      current = (await this.#plane.db.select().from(asyncJob).where(eq(asyncJob.id, job.id)))[0]!;
      return current.jobStatus !== 0;
    };
    await waitFor(`job ${job.jobCmd} has ended`, hasEnded, timeoutMs);
    return current;
  }

  async vmRow(vmId: string): Promise<typeof vmInstance.$inferSelect> {
    const [row] = await this.#plane.db.select().from(vmInstance).where(eq(vmInstance.id, vmId));
    return row!;
  }

  async #owner(): Promise<{ accountId: string; userId: string }> {
    const [admin] = await this.#plane.db.select().from(user).limit(1);
    return { accountId: admin!.accountId, userId: admin!.id };
  }
}
