import { readFile } from 'node:fs/promises';
import { isUuid } from '../../kvm/uuid.js';
import { SlipwayError } from '../../shared/errors.js';
import { CloudStackApiError, type CloudStackClient, createCloudStackClient } from '../cloudstack-client.js';
import { usageError } from './usage-error.js';

const DEFAULT_FILE = '.slipway/credentials.json';

/** Where the keys of an admin are looked for. */
const fileOf = (named: string | undefined): string => named ?? process.env['SLIPWAY_CREDENTIALS'] ?? DEFAULT_FILE;

/**
 * A client of the API with the keys of a root admin. Its calls reject with SLIPWAY_UNAVAILABLE or SLIPWAY_RESOURCE_STATE
 * and the API's own text.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when the file cannot be used
 */
export async function createAdminClient(credentialsFile: string | undefined): Promise<CloudStackClient> {
  const path = fileOf(credentialsFile);
  const { endpoint, apiKey, secretKey } = await readCredentials(path);
  if (!endpoint || !apiKey || !secretKey) throw usageError(`${path} lacks endpoint, apiKey or secretKey`);
  const client = createCloudStackClient({ endpoint, apiKey, secretKey });
  const told = async <Answer>(work: Promise<Answer>): Promise<Answer> => {
    try {
      return await work;
    } catch (error) {
      if (error instanceof CloudStackApiError) {
        throw new SlipwayError('SLIPWAY_RESOURCE_STATE', error.message, { cause: error });
      }
      throw new SlipwayError('SLIPWAY_UNAVAILABLE', `The API at ${endpoint}: ${causeOf(error)}`, { cause: error });
    }
  };
  return {
    call: (command, parameters) => told(client.call(command, parameters)),
    waitForJob: (jobId, options) => told(client.waitForJob(jobId, options)),
  };
}

async function readCredentials(path: string): Promise<Record<string, string | undefined>> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Record<string, string | undefined>;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Without the cause: the parser quotes the text, and keys are in it.
    throw usageError(
      `--credentials: ${path} ${code === undefined ? 'is not JSON' : `cannot be read (${code})`}. It has to have ` +
        'endpoint, apiKey and secretKey of a root admin',
    );
  }
}

/** fetch says only that it failed; the cause says why. */
function causeOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message || ((cause as NodeJS.ErrnoException).code ?? message) : message;
}

interface Named {
  id: string;
  name: string;
}

/** @throws SlipwayError SLIPWAY_RESOURCE_STATE when there is none, or several */
export async function findByName(
  client: CloudStackClient,
  kind: 'host' | 'cluster',
  nameOrId: string | undefined,
): Promise<Named> {
  const list = async (filter: Record<string, string> = {}): Promise<Named[]> => {
    const answer = await client.call(kind === 'host' ? 'listHosts' : 'listClusters', filter);
    return (answer as Record<string, Named[]>)[kind] ?? [];
  };
  const fitting = nameOrId === undefined ? await list() : await findEither(list, nameOrId);
  const [only, ...others] = fitting;
  if (only && others.length === 0) return only;
  const names = (await list()).map(({ name }) => name).join(', ');
  const problem = only ? 'Several fit' : `There is no ${kind} ${nameOrId ?? ''}`.trim();
  throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `${problem}: name one of ${names || 'none'}`);
}

/** Each asked for by itself: a list of all has no more of them than a page. A name may look like an id. */
async function findEither(
  list: (filter: Record<string, string>) => Promise<Named[]>,
  nameOrId: string,
): Promise<Named[]> {
  const named = (await list({ name: nameOrId })).filter(({ name }) => name === nameOrId);
  const withId = isUuid(nameOrId) ? await list({ id: nameOrId }) : [];
  return [...named, ...withId.filter(({ name }) => name !== nameOrId)];
}
