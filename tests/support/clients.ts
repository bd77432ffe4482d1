import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

/** Where `scripts/setup --for-tests` puts clients of other languages. */
const DIRECTORY = path.join(process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'), 'slipway', 'clients');

/** Python with `cs` in it. */
export const CS_PYTHON = path.join(DIRECTORY, 'cs-5.2.0', 'bin', 'python');
/** Python with libcloud in it. */
export const LIBCLOUD_PYTHON = path.join(DIRECTORY, 'libcloud-3.9.1', 'bin', 'python');
/** `tests/clients/go`, built. */
export const GO_CLIENT = path.join(DIRECTORY, 'cloudstack-go-2.17.1', 'client');
/** The program that it is made with, from what listApis answers. */
export const GO_GENERATOR = path.join(DIRECTORY, 'cloudstack-go-2.17.1', 'generate');

/** Why a test with this client cannot run. */
export const clientObstacle = (program: string): string | undefined =>
  existsSync(program) ? undefined : `needs ${program}, from scripts/setup --for-tests`;
