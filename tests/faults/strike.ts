import { WorkflowNotFoundError } from '@temporalio/client';
import { eq } from 'drizzle-orm';
import { setTimeout as sleep } from 'node:timers/promises';
import { capacityClaim } from '../../db/schema/index.js';
import type { Component } from '../../embedded/component.js';
import type { RunId } from '../support/await-step.js';
import { type ProvingGround, signalTree } from '../support/proving-ground.js';
import { resetWorkflow } from '../support/reset-workflow.js';
import type { Cell, Component as FaultyComponent, Fault } from './fault-matrix.js';

/** Longer than clients of any of them wait for a connection, shorter than any timeout of a workflow. */
const FROZEN_MS = 3_000;
const DEAD_MS = 500;

/** What is struck: an operation, as a rule on a VM, and the download or the child that it waits for. */
export interface Struck {
  vmId?: string;
  workflow: RunId | undefined;
  stage?: RunId | undefined;
  child?: RunId | undefined;
}

/** Lets the fault of a cell happen, and repairs what a person would repair: what was killed is started again. */
export function strike(ground: ProvingGround, cell: Pick<Cell, 'target' | 'fault'>, struck: Struck): Promise<void> {
  const { target, fault } = cell;
  if (target === 'workflow' || target === 'stage' || target === 'child')
    return strikeWorkflow(ground, fault, struck[target]!);
  return strikeComponent(ground, target, fault, struck.vmId);
}

async function strikeWorkflow({ temporal }: ProvingGround, fault: Fault, { workflowId, runId }: RunId): Promise<void> {
  const handle = temporal.workflow.getHandle(workflowId, runId);
  try {
    if (fault === 'cancel') await handle.cancel();
    else if (fault === 'terminate') await handle.terminate('a test of faults');
    else await resetWorkflow(temporal, { workflowId, runId });
  } catch (error) {
    // Its last activity was its last step: it has ended meanwhile, and there is nothing to strike.
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

async function strikeComponent(
  ground: ProvingGround,
  target: FaultyComponent,
  fault: Fault,
  vmId: string | undefined,
): Promise<void> {
  const victim = await victimOf(ground, target, vmId);
  if (fault === 'SIGKILL') {
    await victim.kill();
    await sleep(DEAD_MS);
    await victim.restart();
  } else {
    await victim.signal('SIGSTOP');
    await sleep(FROZEN_MS);
    await victim.signal('SIGCONT');
  }
}

interface Victim {
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): Promise<void> | void;
  restart(): Promise<void>;
}

async function victimOf(
  { test: { installation }, mirror, libvirtd, db }: ProvingGround,
  target: FaultyComponent,
  vmId: string | undefined,
): Promise<Victim> {
  switch (target) {
    case 'mirror':
      return mirror;
    case 'libvirtd':
      return { ...libvirtd, kill: async () => libvirtd.kill('SIGKILL'), signal: (signal) => libvirtd.kill(signal) };
    case 'host worker': {
      const { hosts } = installation;
      const [claim] = vmId ? await db.select().from(capacityClaim).where(eq(capacityClaim.vmId, vmId)) : [];
      return processOf((hosts.find(({ id }) => id === claim?.hostId) ?? hosts[0]!).worker);
    }
    case 'gateway':
      return processOf(installation.gateways[0]!);
    case 'control worker':
      return processOf(installation.controlWorkers[0]!);
    case 'Temporal':
      return processOf(installation.temporal!);
    case 'PostgreSQL':
      return processOf(installation.postgres!);
  }
}

const processOf = (component: Component): Victim => ({
  async kill() {
    await signalTree(component, 'SIGKILL');
    await component.exited();
  },
  signal: (signal) => signalTree(component, signal),
  restart: () => component.restart(),
});
