import { performance } from 'node:perf_hooks';
import {
  type CloudStackClient,
  type CloudStackParameters,
  createCloudStackClient,
} from '../../cli/cloudstack-client.js';
import { openDatabase } from '../../db/client.js';
import { createSecretBox } from '../../db/secret-box.js';
import { TEST_SECRET_KEY, TEST_SERVER_VARIABLE, type TestServer } from '../../tests/support/test-database.js';
import { startTestPostgres } from '../../tests/support/test-postgres.js';
import { addAccounts, addTemplates, addVirtualMachines } from './gateway/fill-database.js';
import type { GatewayOptions } from './gateway/gateway-process.js';
import { startTalkingProcess } from './herd/talking-process.js';
import type { BenchOptions, BenchResult } from './result.js';

/** Callers at once. */
const CALLERS = 4;
const PAGE = { page: '1', pagesize: '20' };

interface Figures {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

interface Clients {
  admin: CloudStackClient;
  user: CloudStackClient;
}

type Call = (clients: Clients, turn: number) => Promise<unknown>;

/**
 * How many calls a gateway answers, and how long each takes, with few and with many rows in the database. A gateway in a
 * process of its own on a real PostgreSQL; no Temporal, for which no call measured here waits.
 */
export async function benchGateway({ isQuick, rounds = isQuick ? 200 : 1_000 }: BenchOptions): Promise<BenchResult> {
  const [templates, few, many] = isQuick ? [1_000, 1_000, 10_000] : [10_000, 1_000, 100_000];
  const postgres = await startTestPostgres();
  const { databaseUrl, seeded } = JSON.parse(postgres.variables[TEST_SERVER_VARIABLE]!) as TestServer;
  const { db, close } = openDatabase(databaseUrl, { applicationName: 'slipway-bench', max: 1 });
  const gateway = await startTalkingProcess('../gateway/gateway-process.ts', {
    databaseUrl,
    secretKeyBase64: TEST_SECRET_KEY,
  } satisfies GatewayOptions);
  try {
    const endpoint = `http://127.0.0.1:${await gateway.ask<number>('port')}/client/api`;
    const clients = {
      admin: createCloudStackClient({ endpoint, ...seeded.admin }),
      user: createCloudStackClient({ endpoint, apiKey: 'bench-7', secretKey: 'bench-7' }),
    };
    await addAccounts(db, await createSecretBox(TEST_SECRET_KEY));
    await addTemplates(db, templates);
    await addVirtualMachines(db, 1, few);
    const calls = await callsOf(clients, many);
    const withFew = await measure(calls, clients, rounds);
    process.stderr.write(`measured with ${few} VMs\n`);
    await addVirtualMachines(db, few + 1, many);
    const withMany = await measure(calls, clients, rounds);
    return resultOf(`${templates} templates, ${few} and ${many} VMs`, withFew, withMany);
  } finally {
    await gateway.stop();
    await close();
    await postgres.stop();
  }
}

/** The figure that the goal speaks of is the first's. */
async function callsOf({ admin, user }: Clients, many: number): Promise<Record<string, Call>> {
  const first = async (command: string, key: string, parameters: CloudStackParameters = {}): Promise<string> => {
    const answer = (await user.call(command, parameters)) as Record<string, { id: string }[]>;
    return answer[key]![0]!.id;
  };
  const id = await first('listVirtualMachines', 'virtualmachine', PAGE);
  const deployment = {
    zoneid: await first('listZones', 'zone'),
    serviceofferingid: await first('listServiceOfferings', 'serviceoffering'),
    templateid: await first('listTemplates', 'template', { ...PAGE, templatefilter: 'self' }),
  };
  await admin.call('updateConfiguration', { name: 'max.account.user.vms', value: '-1' });
  for (const resource of ['cpus', 'memory', 'primary.storage']) {
    await admin.call('updateConfiguration', { name: `max.account.${resource}`, value: '-1' });
  }
  return {
    'listVirtualMachines, a page of all': (clients) =>
      clients.admin.call('listVirtualMachines', { ...PAGE, listall: true }),
    'listVirtualMachines, a page of a user': (clients) => clients.user.call('listVirtualMachines', PAGE),
    'listVirtualMachines, by id': (clients) => clients.user.call('listVirtualMachines', { id }),
    'listVirtualMachines, a late page of all': (clients) =>
      clients.admin.call('listVirtualMachines', { page: '40', pagesize: '20', listall: true }),
    'listTemplates, a page of all': (clients) =>
      clients.admin.call('listTemplates', { ...PAGE, templatefilter: 'all' }),
    deployVirtualMachine: (clients, turn) =>
      clients.user.call('deployVirtualMachine', { ...deployment, name: `d-${many}-${turn}-${Date.now()}` }),
  };
}

async function measure(calls: Record<string, Call>, clients: Clients, rounds: number): Promise<Map<string, Figures>> {
  const figures = new Map<string, Figures>();
  for (const [name, call] of Object.entries(calls)) {
    await run(call, clients, Math.ceil(rounds / 10));
    figures.set(name, await run(call, clients, rounds));
  }
  return figures;
}

async function run(call: Call, clients: Clients, rounds: number): Promise<Figures> {
  const timesMs: number[] = [];
  let turn = 0;
  const startedMs = performance.now();
  const work = async (): Promise<void> => {
    while (turn < rounds) {
      turn += 1;
      const calledMs = performance.now();
      await call(clients, turn);
      timesMs.push(performance.now() - calledMs);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, work));
  const perSecond = (1_000 * rounds) / (performance.now() - startedMs);
  const sorted = timesMs.toSorted((a, b) => a - b);
  const quantile = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!;
  return { perSecond, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
}

function resultOf(what: string, few: Map<string, Figures>, many: Map<string, Figures>): BenchResult {
  const figures = [...few].map(([name, withFew]) => {
    const withMany = many.get(name)!;
    return { name, few: withFew, many: withMany, ratio: withMany.p99Ms / withFew.p99Ms };
  });
  const shown = ({ perSecond, p50Ms, p99Ms }: Figures): string =>
    `${perSecond.toFixed(0).padStart(6)}/s${p50Ms.toFixed(1).padStart(7)}${p99Ms.toFixed(1).padStart(8)} ms`;
  return {
    ratio: figures[0]!.ratio,
    lines: [
      `${what}; ${CALLERS} callers; calls a second, median and p99`,
      ...figures.map(
        (row) => `${row.name.padEnd(40)}${shown(row.few)}  ${shown(row.many)}   p99 ratio ${row.ratio.toFixed(2)}`,
      ),
    ],
    figures: { calls: figures },
  };
}
