import { CALLERS, checkFleet, costsOf, deployMany, registerTemplate } from './herd/deploy-many.js';
import { startBareFleet } from './herd/bare-fleet.js';
import { type Fleet, type HerdPlane, joinFleet, startHerdPlane } from './herd/herd-plane.js';
import { withProcessorMs } from './herd/processor-time.js';
import { usualSteps, type WorkflowCost } from './herd/read-history.js';
import { type DatabaseLoad, withDatabaseLoad } from './herd/watch-database.js';
import { median, type BenchOptions, type BenchResult } from './result.js';

interface Size {
  deployments: number;
  hosts: number;
}

const LAYOUTS = [
  { name: 'a pool for each host', isPoolShared: false },
  { name: 'one pool', isPoolShared: true },
];

/** The goals of a warm deployment. */
const MOST_ACTIVITIES = 8;
const MOST_EVENTS = 60;

interface Round {
  /** Deployments a second. */
  rate: number;
  bareRate: number;
  /** Milliseconds of processor time for each deployment, by process. */
  processorMs: Record<string, number>;
  bareProcessorMs: Record<string, number>;
  load: DatabaseLoad;
}

interface Contest {
  name: string;
  rounds: Round[];
  costs: WorkflowCost[];
}

/**
 * Deployments of one template at once, by hosts of which only libvirt and root disks are simulated: first all of them
 * wait for the download, then as many again find the template there. Beside each as many workflows with as many activities
 * that do nothing, on the same server. The ratio is of the rates, the worst of all.
 */
export async function benchHerd({ isQuick, rounds = isQuick ? 1 : 2 }: BenchOptions): Promise<BenchResult> {
  const size = isQuick ? { deployments: 60, hosts: 4 } : { deployments: 1000, hosts: 50 };
  const contests: Contest[] = [];
  for (const layout of LAYOUTS) {
    const plane = await startHerdPlane();
    try {
      contests.push(...(await contestOn(plane, layout, size, rounds)));
    } finally {
      await plane.stop();
    }
  }
  return {
    ratio: Math.min(...contests.map(ratioOf)),
    lines: [
      `${size.deployments} deployments of one template over ${size.hosts} simulated hosts; a second, and the ratio to bare workflows`,
      ...contests.flatMap(linesOf),
    ],
    figures: Object.fromEntries(
      contests.map((contest) => [contest.name, { rounds: contest.rounds, ratio: ratioOf(contest) }]),
    ),
  };
}

async function contestOn(
  plane: HerdPlane,
  layout: (typeof LAYOUTS)[number],
  { deployments, hosts }: Size,
  rounds: number,
): Promise<Contest[]> {
  const { client, installation } = plane;
  const begin = (what: string): Contest => ({ name: `${layout.name}, ${what}`, rounds: [], costs: [] });
  const herd = begin('all wait for the download');
  const warm = begin('template on the pool');
  const bare = await startBareFleet({ client, address: installation.temporalAddress, hosts });
  const temporal = installation.temporal!.pid;
  const pids = {
    temporal,
    control: installation.controlWorkers[0]!.pid,
    postgres: installation.postgres!.pid,
    gateway: installation.gateways[0]!.pid,
  };
  const measure = async (
    contest: Contest,
    fleet: Fleet,
    wanted: { templateId: string; isHeld: boolean },
  ): Promise<void> => {
    const { result, msPerOperation } = await withProcessorMs({ ...pids, hosts: fleet.pid }, deployments, () =>
      withDatabaseLoad(installation.databaseUrl, () => deployMany(plane, { ...wanted, deployments })),
    );
    const { vmIds, elapsedMs } = result.result;
    await checkFleet(plane, fleet, { templateId: wanted.templateId, vmIds });
    const costs = await costsOf(plane, vmIds);
    const steps = usualSteps(costs);
    const bareRun = await withProcessorMs({ temporal, ...bare.pids }, deployments, () =>
      bare.run(deployments, { steps, atOnceLimit: CALLERS }),
    );
    const round = {
      rate: (deployments * 1000) / elapsedMs,
      bareRate: (deployments * 1000) / bareRun.result,
      processorMs: msPerOperation,
      bareProcessorMs: bareRun.msPerOperation,
      load: result.load,
    };
    contest.rounds.push(round);
    contest.costs.push(...costs);
    // Minutes go by: whoever waits is told how far it is.
    process.stderr.write(`${contest.name}: ${round.rate.toFixed(1)}/s, bare ${round.bareRate.toFixed(1)}/s\n`);
  };
  try {
    for (let round = 0; round < rounds; round++) {
      const vmsPerHost = deployments / hosts;
      const fleet = await joinFleet(plane, { hosts, isPoolShared: layout.isPoolShared, vmsPerHost });
      try {
        const templateId = await registerTemplate(plane);
        await measure(herd, fleet, { templateId, isHeld: true });
        await fleet.vmsPerHost(2 * vmsPerHost);
        await measure(warm, fleet, { templateId, isHeld: false });
        requireCheap(warm.costs);
      } finally {
        await fleet.retire();
      }
    }
  } finally {
    await bare.stop();
  }
  return [herd, warm];
}

function requireCheap(costs: readonly WorkflowCost[]): void {
  const dear = costs.find(({ steps, events }) => steps.length > MOST_ACTIVITIES || events > MOST_EVENTS);
  if (dear) {
    throw new Error(`A warm deployment took ${dear.steps.length} activities and ${dear.events} events`);
  }
}

const medianRate = ({ rounds }: Contest): number => median(rounds.map(({ rate }) => rate));
const medianBareRate = ({ rounds }: Contest): number => median(rounds.map(({ bareRate }) => bareRate));
const ratioOf = (contest: Contest): number => medianRate(contest) / medianBareRate(contest);

const milliseconds = (byProcess: Record<string, number>): string => {
  const total = Object.values(byProcess).reduce((sum, ms) => sum + ms, 0);
  const parts = Object.entries(byProcess).map(([name, ms]) => `${name} ${ms.toFixed(0)}`);
  return `${total.toFixed(0)} ms (${parts.join(', ')})`;
};

function linesOf(contest: Contest): string[] {
  const { name, rounds, costs } = contest;
  const mean = (of: (cost: WorkflowCost) => number): string =>
    (costs.reduce((sum, cost) => sum + of(cost), 0) / costs.length).toFixed(1);
  const retries = costs.reduce((sum, cost) => sum + cost.retries, 0);
  const { load, processorMs, bareProcessorMs } = rounds.at(-1)!;
  const rate = `${medianRate(contest).toFixed(1)}/s`.padStart(9);
  const bareRate = `${medianBareRate(contest).toFixed(1)}/s bare`.padStart(14);
  return [
    `${name.padEnd(50)}${rate}${bareRate}${ratioOf(contest).toFixed(2).padStart(7)}`,
    `  each: ${mean(({ steps }) => steps.length)} activities, ${mean(({ events }) => events)} events, ` +
      `${mean(({ workflowTasks }) => workflowTasks)} workflow tasks; ${retries} activities tried again in all`,
    `  in the last round, processor time of each: ${milliseconds(processorMs)}; bare ${milliseconds(bareProcessorMs)}`,
    `  transactions that waited for a lock: ${load.meanBlocked.toFixed(1)} on average, ${load.mostBlocked} at most; ` +
      `${load.commits} commits, ${load.rolledBack} rolled back, ${load.deadlocks} deadlocks`,
  ];
}
