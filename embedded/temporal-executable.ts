import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { SlipwayError } from '../shared/errors.js';

/** The newest release that `go install` can build; scripts/setup installs the same. */
const TEMPORAL_CLI_VERSION = '1.5.1';

type Environment = Record<string, string | undefined>;

/** Outside of the clone, so that a fresh clone does not build it again. */
export function cachedTemporalExecutable(env: Environment): string {
  const cache = env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache');
  return join(cache, 'slipway', `temporal-${TEMPORAL_CLI_VERSION}`);
}

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

/**
 * The Temporal CLI: TEMPORAL_CLI_PATH, `temporal` on PATH, or what scripts/setup put into the cache.
 *
 * @throws SlipwayError SLIPWAY_INSTALLATION when none is there.
 */
export async function findTemporalExecutable(env: Environment): Promise<string> {
  const named = env['TEMPORAL_CLI_PATH'];
  if (named) {
    if (await isExecutable(named)) return named;
    throw new SlipwayError('SLIPWAY_INSTALLATION', `TEMPORAL_CLI_PATH names ${named}, which is not a program.`);
  }
  const onPath = (env['PATH'] ?? '').split(delimiter).filter((directory) => directory !== '');
  for (const candidate of [...onPath.map((directory) => join(directory, 'temporal')), cachedTemporalExecutable(env)]) {
    if (await isExecutable(candidate)) return candidate;
  }
  throw new SlipwayError(
    'SLIPWAY_INSTALLATION',
    'The Temporal CLI is not installed. Run ./scripts/setup, or set TEMPORAL_CLI_PATH to it, or TEMPORAL_ADDRESS to a server of your own.',
  );
}
