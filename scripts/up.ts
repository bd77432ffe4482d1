/** `node dist/scripts/up.js`: serves an installation on this machine until Ctrl-C or SIGTERM. */
import { join } from 'node:path';
import { startInstallation, type Installation } from '../embedded/installation.js';
import { openStateDirectory } from '../embedded/state-directory.js';
import { isSlipwayError } from '../shared/errors.js';
import { parseUpArguments, USAGE, type UpArguments } from './up-arguments.js';

const dist = join(import.meta.dirname, '..');
const clone = join(dist, '..');

function summary(installation: Installation): string {
  const lines = [
    '',
    `API            ${installation.credentials.endpoint}`,
    ...(installation.temporalUiUrl ? [`Temporal       ${installation.temporalUiUrl}`] : []),
    `Credentials    .slipway/credentials.json`,
    `Logs           .slipway/logs/`,
    '',
    'Ctrl-C stops it. Virtual machines run on, and everything is here again at the next start.',
  ];
  return lines.join('\n');
}

const untilAskedToStop = (): Promise<void> =>
  new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });

async function up(options: UpArguments): Promise<void> {
  // Components end with this process, whenever and however it ends.
  const leave = (): never => process.exit(130);
  process.once('SIGINT', leave).once('SIGTERM', leave);
  if (options.settings['secstorage.allowed.internal.sites']) {
    console.log(
      'Images may be downloaded from this machine itself (--allow-loopback): do not use that with strangers.',
    );
  }
  const installation = await startInstallation({
    state: await openStateDirectory(clone),
    programs: dist,
    env: process.env,
    ports: options.ports,
    hosts: options.hosts,
    isPoolShared: options.isPoolShared,
    controlWorkers: 1,
    settings: options.settings,
    isRestarted: true,
    onLine: (line) => console.log(line),
  });
  process.off('SIGINT', leave).off('SIGTERM', leave);
  const asked = untilAskedToStop();
  console.log(summary(installation));
  await asked;
  console.log('Stopping');
  await installation.stop();
}

const parsed = parseUpArguments(process.argv.slice(2));
if ('problem' in parsed) {
  console.error(`${parsed.problem}\n${USAGE}`);
  process.exitCode = 2;
} else if (parsed.isHelpWanted) {
  console.log(USAGE);
} else {
  up(parsed).catch((error: unknown) => {
    console.error(isSlipwayError(error) ? error.message : error);
    process.exitCode = 1;
  });
}
