import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { joinHost } from '../db/join-host.js';
import { SlipwayError } from '../shared/errors.js';
import { addTemplate } from '../tests/support/add-template.js';
import { hostilePairs, wellFormed } from '../tests/support/hostile-requests.js';
import { startTestGateway, type TestGateway, type TestUser } from '../tests/support/test-gateway.js';
import { canonicalStrings } from './auth/canonical-strings.js';
import { sign } from './auth/signature.js';
import { COMMANDS } from './commands/index.js';

/** Of each command. `SLIPWAY_FUZZ_RUNS=500 SLIPWAY_FUZZ_SEED=$RANDOM` looks longer, and elsewhere. */
const RUNS = Number(process.env['SLIPWAY_FUZZ_RUNS'] ?? 6);
const SEED = Number(process.env['SLIPWAY_FUZZ_SEED'] ?? 20_261_126);
/** Far from what any call takes, near enough that a hang is seen. */
const PATIENCE_MS = 10_000;
/** As much as Node takes of a request line and headers, and what else is in them. */
const LONGEST_QUERY = 12_000;

let gateway: TestGateway;
const ids = new Map<string, string[]>();

beforeAll(async () => {
  gateway = await startTestGateway();
  // What hosts would be asked for by a workflow.
  gateway.onExecute = () => Promise.reject(new SlipwayError('SLIPWAY_NO_HOST', 'No host answers'));
  const owner = await gateway.addUser('owner');
  const poolId = randomUUID();
  const { hostId } = await joinHost(gateway.databaseUrl, {
    name: 'host-1',
    clusterId: gateway.seeded.clusterId,
    publicKey: 'key',
    pools: [{ poolId, type: 'Filesystem', path: '/pool' }],
  });
  const templateId = await addTemplate(gateway, owner, { isPublic: true });
  const isoId = await addTemplate(gateway, owner, { isPublic: true, format: 'ISO' });
  const first = async (command: string, key: string): Promise<string> => {
    const answer = (await gateway.admin.call(command)) as Record<string, { id: string }[]>;
    return answer[key]![0]!.id;
  };
  const offeringId = await first('listServiceOfferings', 'serviceoffering');
  const { id: vmId, jobid } = (await owner.client.call('deployVirtualMachine', {
    zoneid: gateway.seeded.zoneId,
    serviceofferingid: offeringId,
    templateid: templateId,
  })) as { id: string; jobid: string };
  for (const [name, ...values] of [
    ['zoneid', gateway.seeded.zoneId, '-1'],
    ['clusterid', gateway.seeded.clusterId],
    ['podid', gateway.seeded.podId],
    ['serviceofferingid', offeringId],
    ['diskofferingid', await first('listDiskOfferings', 'diskoffering')],
    ['ostypeid', await first('listOsTypes', 'ostype')],
    ['networkofferingid', await first('listNetworkOfferings', 'networkoffering')],
    ['templateid', templateId, isoId],
    ['isoid', isoId],
    ['virtualmachineid', vmId],
    ['jobid', jobid],
    ['hostid', hostId],
    ['storageid', poolId],
  ] as const) {
    ids.set(name, values);
  }
});
afterAll(() => gateway.stop());

const everyId = (): string[] => [...ids.values()].flat();

/** As the server will read it: broken encodings are signed for what they become. */
function signed(text: string, { apiKey, secretKey }: TestUser): string {
  const entries = [...new URLSearchParams(`${text}&apiKey=${encodeURIComponent(apiKey)}`)];
  const signature = sign(canonicalStrings(entries)[0]!, secretKey);
  return `${text}&apiKey=${encodeURIComponent(apiKey)}&signature=${encodeURIComponent(signature)}`;
}

function send(text: string, method: string): Promise<Response> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  if (method === 'GET' && text.length < LONGEST_QUERY) return fetch(`${gateway.endpoint}?${text}`, { signal });
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return fetch(gateway.endpoint, { method: 'POST', headers, body: text, signal });
}

/** What only the log may have. */
const INNER =
  /\n\s+at \S|node_modules|\.[jt]s:\d|failed query|(select|insert|update|delete)\s+(distinct )?"|postgres|drizzle|params:/i;

async function answersProperly(response: Response, format: string): Promise<void> {
  const body = await response.text();
  expect(body).not.toMatch(INNER);
  expect(body).not.toContain('Internal error');
  if (format === 'json') {
    const [[envelope, inner] = []] = Object.entries(JSON.parse(body) as Record<string, Record<string, unknown>>);
    expect(envelope).toMatch(/response$/);
    if (response.status !== 200) {
      expect(inner).toMatchObject({ errorcode: response.status, errortext: expect.any(String), uuidList: [] });
    }
  } else {
    expect(body).toMatch(/^<\?xml [^>]+><([a-z]+response) .*<\/\1>$|^<\?xml [^>]+><[a-z]+response [^>]*\/>$/s);
    if (response.status !== 200) expect(body).toContain(`<errorcode>${response.status}</errorcode>`);
  }
  // A defect, or a database that would have to be away.
  expect(response.status).not.toBe(534);
}

describe('whatever parameters it is given', () => {
  test.each(COMMANDS.map((command) => [command.name, command] as const))(
    '%s answers properly',
    async (name, command) => {
      // A call may lock its caller out: each command has callers of its own.
      const callers = await Promise.all(
        command.allowedRoles.map((role) => gateway.addUser(`${role} of ${name}`, role)),
      );
      const idsOf = (parameter: string): string[] => ids.get(parameter.replace(/ids$/, 'id')) ?? everyId();
      await fc.assert(
        fc.asyncProperty(
          hostilePairs(command, idsOf),
          fc.constantFrom('GET', 'POST'),
          fc.constantFrom('json', 'xml'),
          fc.constantFrom(...callers),
          async (pairs, method, format, caller) => {
            const text = [`command=${name}`, `response=${format}`, ...pairs].join('&');
            await answersProperly(await send(signed(text, caller), method), format);
          },
        ),
        { numRuns: RUNS, seed: SEED },
      );
    },
  );

  test('nothing of it is a defect', () => {
    const lines = gateway.log().trim().split('\n');
    const isError = (line: string): boolean => (JSON.parse(line) as { level: number }).level >= 50;
    expect(lines.filter(isError)).toEqual([]);
    expect(lines.length).toBeGreaterThanOrEqual(COMMANDS.length * RUNS);
  });
});

test('a value of 10 MB is refused, whatever it is a value of', async () => {
  const value = 'x'.repeat(10 * 1024 ** 2);
  for (const text of [
    `command=listZones&name=${value}`,
    `command=${value}`,
    value,
    `response=json&details[0].a=${value}`,
  ]) {
    const response = await send(text, 'POST');
    expect(response.status).toBe(430);
    expect(await response.text()).toContain('The body is larger than');
  }
});

test('a query that is too long for a server is refused in words', async () => {
  const response = await fetch(`${gateway.endpoint}?response=json&command=listZones&name=${'x'.repeat(200_000)}`);
  expect([response.status, await response.json()]).toEqual([
    430,
    { errorresponse: expect.objectContaining({ errorcode: 430, errortext: expect.stringContaining('POST') }) },
  ]);
});

test('no bytes at all are answered with a 5xx or with silence', async () => {
  const anything = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ maxLength: 300 }));
  await fc.assert(
    fc.asyncProperty(
      anything,
      fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'),
      async (text, method) => {
        const body =
          method === 'GET'
            ? {}
            : { body: wellFormed(text), headers: { 'content-type': 'application/x-www-form-urlencoded' } };
        const url = `${gateway.endpoint}?${encodeURI(wellFormed(text))}`;
        const response = await fetch(url, { method, ...body, signal: AbortSignal.timeout(PATIENCE_MS) });
        expect(response.status).toBeLessThan(500);
        expect(await response.text()).not.toMatch(INNER);
      },
    ),
    { numRuns: RUNS * 10, seed: SEED },
  );
});
