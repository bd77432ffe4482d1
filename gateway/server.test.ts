import { eq } from 'drizzle-orm';
import { account, user } from '../db/schema/index.js';
import { SlipwayError } from '../shared/errors.js';
import { startTestGateway, type TestGateway, type TestUser } from '../tests/support/test-gateway.js';
import { canonicalStrings } from './auth/canonical-strings.js';
import { sign } from './auth/signature.js';

type Keys = Pick<TestUser, 'apiKey' | 'secretKey'>;

let gateway: TestGateway;
let somebody: TestUser;

beforeAll(async () => {
  gateway = await startTestGateway();
  somebody = await gateway.addUser('somebody');
});
afterAll(() => gateway.stop());

function signed(parameters: Record<string, string>, { apiKey, secretKey }: Keys = gateway.seeded.admin): string {
  const entries = Object.entries({ ...parameters, apiKey });
  const signature = sign(canonicalStrings(entries)[0]!, secretKey);
  return new URLSearchParams([...entries, ['signature', signature]]).toString();
}

const get = (query: string, init?: RequestInit) => fetch(`${gateway.endpoint}?${query}`, init);

test('answers GET in XML unless JSON is asked for', async () => {
  const asXml = await get(signed({ command: 'listZones' }));
  expect(asXml.headers.get('content-type')).toBe('text/xml; charset=UTF-8');
  expect(await asXml.text()).toMatch(
    /^<\?xml .*<listzonesresponse cloud-stack-version="4[\d.]+"><count>1<\/count><zone><id>[0-9a-f-]{36}<\/id><name>zone-1</,
  );
  const asJson = await get(signed({ command: 'listZones', response: 'json' }));
  expect(asJson.headers.get('content-type')).toBe('application/json; charset=UTF-8');
  expect(await asJson.json()).toMatchObject({ listzonesresponse: { count: 1, zone: [{ name: 'zone-1' }] } });
});

test('takes a form, and parameters from query and form together', async () => {
  const form = new URLSearchParams(signed({ command: 'listZones', response: 'json' }));
  form.delete('command');
  const response = await get('command=listZones', { method: 'POST', body: form });
  expect(await response.json()).toHaveProperty('listzonesresponse.count', 1);
});

test.each([
  [
    'a slash at the end of the path',
    () => `${gateway.endpoint}/?${signed({ command: 'listZones', response: 'json' })}`,
  ],
  ['names in another case', () => `${gateway.endpoint}?${signed({ COMMAND: 'listZones', Response: 'JSON' })}`],
])('takes %s', async (_what, url) => {
  expect(await (await fetch(url())).json()).toHaveProperty('listzonesresponse.count', 1);
});

test('ignores parameters that it does not know', async () => {
  const response = await get(signed({ command: 'listZones', response: 'json', _: '1700000000', __proto__: 'x' }));
  expect(response.status).toBe(200);
});

const unauthenticated = {
  uuidList: [],
  errorcode: 401,
  cserrorcode: 9999,
  errortext: 'unable to verify user credentials and/or request signature',
};

test.each([
  ['no key', () => 'command=listZones&response=json'],
  ['an unknown key', () => signed({ command: 'listZones', response: 'json' }, { ...somebody, apiKey: 'nobody' })],
  ['another secret', () => signed({ command: 'listZones', response: 'json' }, { ...somebody, secretKey: 'guess' })],
  ['a parameter that was not signed', () => `${signed({ command: 'listZones', response: 'json' })}&id=x`],
  [
    'an expired request',
    () =>
      signed({ command: 'listZones', response: 'json', signatureversion: '3', expires: '2020-01-01T00:00:00+0000' }),
  ],
])('refuses %s with 401 and one text', async (_what, query) => {
  const response = await get(query());
  expect(response.status).toBe(401);
  expect(await response.json()).toEqual({ listzonesresponse: unauthenticated });
  expect(response.headers.get('x-description')).toBe(unauthenticated.errortext);
});

test('refuses a user who was disabled', async () => {
  const { accountId, client } = await gateway.addUser('leaver');
  await client.call('listZones');
  await gateway.db.update(user).set({ state: 'disabled' }).where(eq(user.accountId, accountId));
  await expect(client.call('listZones')).rejects.toMatchObject({ errorcode: 401 });
});

test('refuses the users of an account that was locked', async () => {
  const { accountId, client } = await gateway.addUser('debtor');
  await client.call('listZones');
  await gateway.db.update(account).set({ state: 'locked' }).where(eq(account.id, accountId));
  await expect(client.call('listZones')).rejects.toMatchObject({ errorcode: 401 });
});

test.each([
  ['unknown', { command: 'eraseEverything' }, 'errorresponse'],
  ['missing', {}, 'errorresponse'],
  ['for root admins', { command: 'listHosts' }, 'listhostsresponse'],
])('says 432 for a command that is %s', async (_what, parameters, envelope) => {
  const response = await get(signed({ ...parameters, response: 'json' }, somebody));
  expect(response.status).toBe(432);
  expect(await response.json()).toMatchObject({
    [envelope]: { errorcode: 432, errortext: 'The given command does not exist or it is not available for user' },
  });
});

test('shows an error in XML with the same keys', async () => {
  const response = await get(signed({ command: 'listZones', id: 'x' }));
  expect(response.status).toBe(431);
  expect(await response.text()).toMatch(
    /<listzonesresponse cloud-stack-version="[\d.]+"><errorcode>431<\/errorcode><cserrorcode>9999<\/cserrorcode><errortext>Unable /,
  );
});

test.each<[string, RequestInit, string]>([
  ['JSON as body', { headers: { 'content-type': 'application/json' }, body: '{}' }, 'send parameters in the query'],
  [
    'a body without a type',
    { headers: { 'content-type': '' }, body: new Uint8Array([1]) },
    'send parameters in the query',
  ],
  ['a body that is too large', { body: new URLSearchParams({ a: 'x'.repeat(300_000) }) }, 'larger than 262144 bytes'],
  [
    'a name given twice',
    {
      body: new URLSearchParams([
        ['a', '1'],
        ['A', '2'],
      ]),
    },
    'Parameter A is given more than once',
  ],
])('refuses %s with 430', async (_what, init, text) => {
  const response = await get('response=json', { method: 'POST', ...init });
  expect(response.status).toBe(430);
  expect(await response.json()).toMatchObject({
    errorresponse: { errorcode: 430, errortext: expect.stringContaining(text) },
  });
});

test('has one answer for other paths', async () => {
  const response = await fetch(new URL('/client/api/x', gateway.endpoint));
  expect([response.status, await response.json()]).toEqual([404, { error: expect.stringContaining('/client/api') }]);
});

test('is ready while the database answers, and alive without', async () => {
  const other = await startTestGateway();
  const at = (path: string) => fetch(new URL(path, other.endpoint));
  expect((await at('/readyz')).status).toBe(200);
  await other.drop();
  expect((await at('/readyz')).status).toBe(503);
  expect((await at('/healthz')).status).toBe(200);
  await expect(other.admin.call('listZones')).rejects.toMatchObject({ errorcode: 534 });
  await other.stop();
});

async function register(keys?: Keys): Promise<Response> {
  const { ostype } = (await gateway.admin.call('listOsTypes')) as { ostype: { id: string }[] };
  const parameters = {
    command: 'registerTemplate',
    response: 'json',
    name: 'x',
    url: 'http://images.example/x.qcow2',
    format: 'QCOW2',
    hypervisor: 'KVM',
    directdownload: 'true',
    zoneid: gateway.seeded.zoneId,
    ostypeid: ostype[0]!.id,
  };
  return get(signed(parameters, keys));
}

const ofRequest = (response: Response): string => `(request ${response.headers.get('x-request-id')})`;

test('a defect is told by request id only', async () => {
  gateway.onExecute = () => Promise.reject(new Error('cannot read property'));
  const response = await register();
  expect(response.status).toBe(530);
  expect(await response.json()).toMatchObject({
    registertemplateresponse: {
      errortext: `Internal error executing command, please contact your system administrator ${ofRequest(response)}`,
    },
  });
  expect(gateway.log()).toContain('cannot read property');
});

test.each([
  [
    'of a defect the request id',
    'SLIPWAY_INTERNAL',
    'Something inside the cloud failed; an administrator is shown what',
  ],
  ['other words of what a host said', 'SLIPWAY_SOURCE_CONNECT', 'The server of the image does not answer'],
] as const)('an owner is told %s, and the log has the reason by the same id', async (_what, code, text) => {
  const reason = `host-7 says ${code}`;
  gateway.onExecute = () => Promise.reject(new SlipwayError(code, reason));
  const response = await register(somebody);
  expect(await response.json()).toMatchObject({
    registertemplateresponse: {
      errortext: code === 'SLIPWAY_INTERNAL' ? `${text} ${ofRequest(response)}` : text,
    },
  });
  const lines = gateway.log().split('\n');
  const line = lines.find((entry) => entry.includes('"answered"') && entry.includes(reason));
  expect(line).toContain(response.headers.get('x-request-id'));
});

test('logs what was called, by whom and how it ended, and no secret', async () => {
  const query = signed({ command: 'listTemplates', templatefilter: 'self', name: 'http://u:hunter2@images.example/' });
  await get(query);
  await get(`${query}&name=twice`);
  await get('', { method: 'PUT' });
  await get('', { method: 'POST', headers: { 'content-type': 'text/hunter2' }, body: 'hunter2' });
  const calls: Record<string, string>[] = [
    {
      command: 'registerTemplate',
      url: 'http://images.example/x?token=hunter2',
      'details[0].HTTP_HEADER:X': 'hunter2',
    },
    { command: 'deployVirtualMachine', userdata: Buffer.from('hunter2').toString('base64') },
    { command: 'login', username: 'admin', password: 'hunter2', sessionkey: 'hunter2' },
    { command: 'hunter2' },
  ];
  for (const parameters of calls) {
    await get('response=json', { method: 'POST', body: new URLSearchParams(signed(parameters)) });
  }
  const lines = gateway.log().trim().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toContainEqual(
    expect.objectContaining({
      command: 'listTemplates',
      accountId: expect.any(String),
      status: 200,
      durationMs: expect.any(Number),
    }),
  );
  const { apiKey, secretKey } = gateway.seeded.admin;
  const signature = new URLSearchParams(query).get('signature')!;
  const encoded = Buffer.from('hunter2').toString('base64').replace(/=+$/, '');
  for (const secret of ['hunter2', encoded, apiKey, secretKey, signature, encodeURIComponent(signature)]) {
    expect(gateway.log()).not.toContain(secret);
  }
});
