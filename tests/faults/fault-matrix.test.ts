import { writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority } from '../support/certificate-authority.js';
import { ProvingGround } from '../support/proving-ground.js';
import { describeUnless } from '../support/unless.js';
import { COMPONENTS, type Cell, describeCell, faultMatrix, sampleOf } from './fault-matrix.js';
import { type Material, runCell } from './run-cell.js';

const MiB = 1024 ** 2;
const SAMPLE = 10;
const MIRROR = { server: 'limit_rate 12m;' };
/** Short, so that nobody waits for long for a host that is not coming back. */
const SETTINGS = { 'host.reconnect.grace': '20', 'stop.script.timeout': '20' };

const matrix = faultMatrix();
const sample = sampleOf(matrix, SAMPLE);
/** `FAULT_CELLS=.` for every cell; it is a regular expression of their names. */
const wanted = process.env['FAULT_CELLS'];
const cells = wanted ? matrix.filter((cell) => new RegExp(wanted).test(describeCell(cell))) : sample;
const named = cells.map((cell) => [describeCell(cell), cell] as const);

it('has in its sample every component, every fault and every operation', () => {
  const all = (trait: (cell: Cell) => string) => [...new Set(matrix.map(trait))].toSorted();
  const chosen = (trait: (cell: Cell) => string) => [...new Set(sample.map(trait))].toSorted();
  for (const trait of ['operation', 'target', 'fault'] as const) {
    expect(chosen((cell) => cell[trait])).toEqual(all((cell) => cell[trait]));
  }
  expect(all(({ target }) => target)).toEqual(expect.arrayContaining([...COMPONENTS]));
});

describeUnless(ProvingGround.obstacle(), 'whatever fails at whatever step', () => {
  let ground: ProvingGround | undefined;
  let material: Material;
  let certificatePem: string;
  /** A line of the table: to the terminal itself, for jest's reporters show nothing before the end. */
  const tell = (line: string): void => void (wanted && writeSync(2, `${line}\n`));

  /** What a cell has left, the next one would stumble over: after a failure everything begins anew. */
  const fresh = async (): Promise<ProvingGround> => {
    if (ground) return ground;
    const next = await ProvingGround.start({ hosts: 2, controlWorkers: 1, settings: SETTINGS }, MIRROR);
    ground = next;
    const { disk, url } = await next.disk(16 * MiB);
    const stagedTemplateId = await next.test.register(url, `{SHA-256}${disk.sha256}`);
    material = { disk, url, stagedTemplateId, certificatePem };
    return next;
  };
  const abandon = async (): Promise<void> => {
    await ground?.stop();
    ground = undefined;
  };

  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'slipway-authority-'));
    certificatePem = (await createAuthority(directory)).certificatePem;
    await rm(directory, { recursive: true });
    await fresh();
  });
  afterAll(abandon);

  it.each(named)('%s', async (name, cell) => {
    const startedMs = Date.now();
    try {
      const outcome = await runCell(await fresh(), cell, material);
      tell(`ok    ${name} → ${outcome} (${Math.round((Date.now() - startedMs) / 1000)} s)`);
    } catch (error) {
      tell(`WRONG ${name} → ${String(error)}`);
      await abandon();
      throw error;
    }
  });
});
