import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ProvingGround } from '../support/proving-ground.js';
import { parseSoakArguments } from './parse-soak-arguments.js';
import { Soak } from './soak.js';
import { prepareSources } from './sources.js';
import { Tally } from './tally.js';
import { tellStories } from './tell-stories.js';

const MIRROR = { server: 'limit_rate 8m;' };
/** Short, so that much happens in little time. */
const SETTINGS = {
  'host.reconnect.grace': '20',
  'stop.script.timeout': '15',
  'storage.cleanup.interval': '60',
  'storage.reconcile.interval': '60',
};

const obstacle = ProvingGround.obstacle();
if (obstacle) throw new Error(`It cannot run here: ${obstacle}`);
const { minutes, seed } = parseSoakArguments(process.argv.slice(2));
const startedMs = Date.now();
const onLine = (line: string): void => console.log(`${((Date.now() - startedMs) / 60_000).toFixed(1)} min  ${line}`);
onLine(`seed ${seed}, ${minutes} minutes`);

const ground = await ProvingGround.start(
  { hosts: 2, controlWorkers: 2, isPoolShared: true, settings: SETTINGS },
  MIRROR,
);
const tally = new Tally((violation) => onLine(`VIOLATED: ${violation}`));
try {
  const sources = await prepareSources(ground);
  await new Soak({ ground, seed, tally, sources, onLine }).run(minutes * 60_000);
} catch (error) {
  tally.violated(`the soak itself ended: ${String(error)}`);
} finally {
  if (tally.violations.length > 0) {
    const kept = join(tmpdir(), `slipway-soak-${seed}`);
    await cp(dirname(ground.test.installation.gateways[0]!.logPath), kept, { recursive: true });
    onLine(`logs of all components: ${kept}`);
    for (const line of await tellStories(ground.db, tally.violations.join(' ')).catch((error: unknown) => [
      String(error),
    ]))
      console.log(line);
  }
  await ground.stop();
}
console.log(`\n${tally.toString()}\n\nseed ${seed}: ${tally.violations.length === 0 ? 'nothing found' : 'FAILED'}`);
process.exitCode = tally.violations.length === 0 ? 0 : 1;
