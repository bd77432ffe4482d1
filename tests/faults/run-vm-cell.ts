import { eq } from 'drizzle-orm';
import { vmInstance } from '../../db/schema/index.js';
import { awaitHeartbeat, awaitScheduled } from '../support/await-step.js';
import { findStageRun, findVmRun } from '../support/find-run.js';
import type { ProvingGround } from '../support/proving-ground.js';
import type { TestDisk } from '../support/test-installation.js';
import { waitFor } from '../support/wait-for.js';
import { type Cell, mayEndIn } from './fault-matrix.js';
import type { VmOperation } from './operation-steps.js';
import { strike, type Struck } from './strike.js';

/** Afterwards a VM that runs has booted from it, which it had not before. */
const MAKING_A_DISK: readonly VmOperation[] = ['deploy', 'first start'];

/** What VMs are made of. */
export interface VmMaterial {
  disk: TestDisk;
  url: string;
  /** On every pool already. */
  stagedTemplateId: string;
}

/**
 * Does the operation, strikes at the step, waits for the end, and leaves nothing.
 *
 * @returns how it ended, for the table
 */
export async function runVmCell(ground: ProvingGround, cell: Cell<VmOperation>, material: VmMaterial): Promise<string> {
  const { test } = ground;
  const { vmId, jobid, templateId } = await begin(ground, cell, material);
  const struck = await reached(ground, cell, { vmId, jobid, templateId });
  await strike(ground, cell, struck);

  const { hasSucceeded, errortext } = await ground.jobEnd(jobid);
  if (!hasSucceeded && errortext === '') throw new Error('The job failed and does not say why');
  await ground.isWhole();
  const state = await ground.persist('the state of the VM', () => stateOf(ground, vmId));
  if (!mayEndIn(cell).includes(state)) throw new Error(`The VM is ${state}: ${errortext}`);
  await waitFor(`the domain of a VM that is ${state} is as it should be`, async () => {
    return (await ground.domains()).includes(vmId) === (state === 'Running');
  });
  if (state === 'Running' && MAKING_A_DISK.includes(cell.operation)) await test.hasBooted(vmId, material.disk);
  if (state !== 'Expunged') await test.expunge(vmId);
  await test.leavesNothing();
  return hasSucceeded ? state : `${state}: ${errortext}`;
}

interface Begun {
  vmId: string;
  jobid: string;
  templateId: string;
}

/** Brings the VM to where the operation can begin, and asks for it. */
async function begin({ test }: ProvingGround, { operation }: Cell<VmOperation>, material: VmMaterial): Promise<Begun> {
  if (operation === 'deploy') {
    const templateId = await test.register(material.url, `{SHA-256}${material.disk.sha256}`);
    const { id, jobid } = await test.begin(templateId);
    return { vmId: id, jobid, templateId };
  }
  const templateId = material.stagedTemplateId;
  const isNew = operation === 'first start';
  const vmId = await test.deploy(templateId, isNew ? { startvm: 'false' } : {});
  if (!isNew) await test.hasBooted(vmId, material.disk);
  if (operation === 'start') await test.run('stopVirtualMachine', { id: vmId, forced: true });
  const [command, parameters] = COMMANDS[operation];
  const idName = operation === 'restore' ? 'virtualmachineid' : 'id';
  const { jobid } = (await test.client.call(command, { [idName]: vmId, ...parameters })) as { jobid: string };
  return { vmId, jobid, templateId };
}

const COMMANDS: Record<Exclude<VmOperation, 'deploy'>, [string, Record<string, boolean>]> = {
  stop: ['stopVirtualMachine', {}],
  start: ['startVirtualMachine', {}],
  'first start': ['startVirtualMachine', {}],
  restore: ['restoreVirtualMachine', {}],
  destroy: ['destroyVirtualMachine', {}],
  expunge: ['destroyVirtualMachine', { expunge: true }],
};

/** Resolves when the operation is at the step of the cell. */
async function reached(ground: ProvingGround, cell: Cell, { vmId, jobid, templateId }: Begun): Promise<Struck> {
  const { temporal } = ground;
  const { workflow: of, activity, isUnderWay } = cell.step;
  // Right behind the answer there may be no run yet: what strikes then finds the row alone.
  if (!activity && cell.target !== 'workflow') return { vmId, workflow: undefined };
  const workflow = await findVmRun(ground, vmId, jobid);
  const stage = of === 'stage' ? await findStageRun(ground, templateId) : undefined;
  if (activity) {
    await awaitScheduled(temporal, stage ?? workflow, activity);
    if (isUnderWay) await awaitHeartbeat(temporal, stage ?? workflow, activity);
  }
  return { vmId, workflow, stage };
}

async function stateOf({ db }: ProvingGround, vmId: string): Promise<string> {
  const [vm] = await db.select().from(vmInstance).where(eq(vmInstance.id, vmId));
  return vm!.state;
}
