import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { CloudStackApiError, createCloudStackClient } from './cloudstack-client.js';

let server: Server;
let answers: { status: number; body: unknown }[];
let forms: string[];

beforeAll(async () => {
  server = createServer((request, response) => {
    void text(request).then((form) => {
      forms.push(form);
      const { status, body } = answers.length > 1 ? answers.shift()! : answers[0]!;
      response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  answers = [];
  forms = [];
});

const client = () =>
  createCloudStackClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/client/api`,
    apiKey: 'key',
    secretKey: 'secret',
  });

const job = (fields: object) => ({ status: 200, body: { queryasyncjobresultresponse: { jobid: 'j', ...fields } } });

test('sends a signed form, good for ten minutes, and gives what is inside the envelope', async () => {
  const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.parse('2026-01-01T00:00:00Z'));
  answers = [{ status: 200, body: { listzonesresponse: { count: 1, zone: [{ id: 'z' }] } } }];
  const answer = await client().call('listZones', {
    name: 'a b*~',
    available: true,
    id: undefined,
    'tags[0].key': 'K',
  });
  clock.mockRestore();
  expect(answer).toEqual({ count: 1, zone: [{ id: 'z' }] });
  expect(forms).toEqual([
    // printf %s 'apikey=key&available=true&command=listzones&expires=2026-01-01t00%3a10%3a00.000z&name=a%20b*%7e&response=json&signatureversion=3&tags[0].key=k' |
    //   openssl dgst -sha1 -hmac secret -binary | base64
    'apiKey=key&available=true&command=listZones&expires=2026-01-01T00%3A10%3A00.000Z&name=a%20b*%7E&response=json&signatureversion=3&tags%5B0%5D.key=K&signature=SYtC0ZaZ0tGgEOzfCXSvw0mMibs%3D',
  ]);
});

test('throws what the API answered with', async () => {
  answers = [{ status: 431, body: { listzonesresponse: { errorcode: 431, errortext: 'no' } } }];
  const failure = client().call('listZones');
  await expect(failure).rejects.toBeInstanceOf(CloudStackApiError);
  await expect(failure).rejects.toMatchObject({ command: 'listZones', errorcode: 431, errortext: 'no' });
});

test('says what it got when that is no answer of the API', async () => {
  answers = [{ status: 502, body: '<html>Bad gateway' }];
  await expect(client().call('listZones')).rejects.toThrow(
    'listZones: no CloudStack response but 502 <html>Bad gateway',
  );
});

test('polls a job until it ends, and shows each poll', async () => {
  answers = [
    job({ jobstatus: 0 }),
    job({ jobstatus: 0 }),
    job({ jobstatus: 1, jobresult: { virtualmachine: { id: 'v' } } }),
  ];
  const polls: unknown[] = [];
  const result = await client().waitForJob('j', {
    timeoutMs: 10_000,
    onPoll: (polled) => polls.push(polled['jobstatus']),
  });
  expect(result).toEqual({ virtualmachine: { id: 'v' } });
  expect(polls).toEqual([0, 0, 1]);
});

test.each([
  [2, { errorcode: 533, errortext: 'no host' }, { errorcode: 533, errortext: 'no host' }],
  [3, undefined, { errorcode: 530, errortext: 'no error text' }],
])('throws how a job of status %d ended', async (jobstatus, jobresult, expected) => {
  answers = [job({ jobstatus, jobresult, cmd: 'org.apache.cloudstack.api.command.user.vm.DeployVMCmd' })];
  await expect(client().waitForJob('j', { timeoutMs: 10_000 })).rejects.toMatchObject({
    ...expected,
    command: 'DeployVMCmd',
  });
});

test('gives up on a job that does not end in time', async () => {
  answers = [job({ jobstatus: 0 })];
  await expect(client().waitForJob('j', { timeoutMs: 0 })).rejects.toThrow('Job j has not ended within 0 ms');
});
