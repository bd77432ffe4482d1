import { eq } from 'drizzle-orm';
import { vmTemplateDetails } from '../../db/schema/index.js';
import { startTestGateway, type TestGateway, type TestUser } from '../../tests/support/test-gateway.js';

let gateway: TestGateway;
let somebody: TestUser;
let osTypeId: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  somebody = await gateway.addUser('somebody');
  const { ostype } = await gateway.admin.call('listOsTypes', { description: 'debian gnu/linux 12' });
  osTypeId = (ostype as { id: string }[])[0]!.id;
});
afterAll(() => gateway.stop());

type Template = Record<string, unknown> & { id: string };

async function register(details: Record<string, string>): Promise<Template> {
  const { template } = await somebody.client.call('registerTemplate', {
    name: 'debian',
    url: 'https://images.example/debian.qcow2',
    format: 'QCOW2',
    hypervisor: 'KVM',
    directdownload: true,
    ostypeid: osTypeId,
    zoneid: gateway.seeded.zoneId,
    ispublic: true,
    ...details,
  });
  return (template as Template[])[0]!;
}

/** Headers as they are stored, decrypted, in order of their text. */
async function storedHeaders({ id }: Template): Promise<string[]> {
  const rows = await gateway.db.select().from(vmTemplateDetails).where(eq(vmTemplateDetails.templateId, id));
  return rows
    .filter(({ name }) => name === 'HTTP_HEADER')
    .map(({ value }) => gateway.secretBox.decrypt(value))
    .sort();
}

const SECRET = 'only-for-the-origin';

describe('HTTP headers of a template', () => {
  test.each<[string, Record<string, string>, string[]]>([
    ['in the form of CloudStack', { 'details[0].HTTP_HEADER:X-Token': SECRET }, [`X-Token:${SECRET}`]],
    ['in the form of its wiki', { 'details[0].HTTP_HEADER': `X-Token: ${SECRET}` }, [`X-Token:${SECRET}`]],
    ['whatever the case of the key', { 'DETAILS[0].http_header:x-Token': SECRET }, [`x-Token:${SECRET}`]],
    [
      'several in both forms, at several indices',
      {
        'details[0].HTTP_HEADER:A': 'a',
        'details[0].HTTP_HEADER:B': 'b:b',
        'details[0].HTTP_HEADER': 'C:c',
        'details[1].HTTP_HEADER': 'D:d',
        'details[7].HTTP_HEADER:E': 'e',
      },
      ['A:a', 'B:b:b', 'C:c', 'D:d', 'E:e'],
    ],
    ['longer than any other detail', { 'details[0].HTTP_HEADER:A': 'v'.repeat(4096) }, [`A:${'v'.repeat(4096)}`]],
  ])('are stored encrypted: %s', async (_what, details, expected) => {
    expect(await storedHeaders(await register(details))).toEqual(expected);
  });

  test('stay out of every list, and other details stay in clear', async () => {
    const registered = await register({
      'details[0].HTTP_HEADER:X-Token': SECRET,
      'details[0].rootDiskController': 'virtio',
      'details[1].HTTP_HEADER': `X-Other:${SECRET}`,
    });
    expect(registered['details']).toEqual({ rootDiskController: 'virtio' });
    const details = await gateway.db
      .select()
      .from(vmTemplateDetails)
      .where(eq(vmTemplateDetails.templateId, registered.id));
    expect(details.map(({ name }) => name).sort()).toEqual(['HTTP_HEADER', 'HTTP_HEADER', 'rootDiskController']);
    expect(JSON.stringify(details)).not.toContain(SECRET);
    for (const client of [somebody.client, gateway.admin, (await gateway.addUser('other')).client]) {
      const listed = await client.call('listTemplates', { templatefilter: 'executable', id: registered.id });
      expect(listed).toMatchObject({ count: 1, template: [{ details: { rootDiskController: 'virtio' } }] });
      expect(JSON.stringify(listed)).not.toMatch(/HTTP_HEADER|X-Token|X-Other|only-for/);
    }
    // What Temporal keeps can be read in its Web UI.
    expect(JSON.stringify(gateway.executed)).not.toMatch(/HTTP_HEADER|X-Token|X-Other|only-for/);
    expect(gateway.log()).not.toContain(SECRET);
  });

  test('leave a template without other details without any', async () => {
    expect(await register({ 'details[0].HTTP_HEADER:X-Token': SECRET })).not.toHaveProperty('details');
  });

  test.each<[string, Record<string, string>, string]>([
    ['a line without a colon', { 'details[0].HTTP_HEADER': SECRET }, 'An HTTP header is not NAME:VALUE'],
    ['no name', { 'details[0].HTTP_HEADER:': SECRET }, 'The name of HTTP header 1'],
    ['a value in the key', { [`details[0].HTTP_HEADER:A:${SECRET}`]: 'v' }, 'The name of HTTP header 1'],
    ['a line end in a value', { 'details[0].HTTP_HEADER:A': `${SECRET}\r\nHost: b` }, 'The value of HTTP header A'],
    ['what the client says itself', { 'details[0].HTTP_HEADER:Range': SECRET }, 'HTTP header Range is Slipway'],
    [
      'one header twice',
      { 'details[0].HTTP_HEADER:A': SECRET, 'details[1].HTTP_HEADER': 'a:b' },
      'HTTP header a is given twice',
    ],
    [
      'a key that is nearly one',
      { 'details[0].HTTP_HEADER_A': SECRET },
      'begins with HTTP_HEADER and is no HTTP header',
    ],
    ['a wrong one at a later index', { 'details[3].HTTP_HEADERS': SECRET }, 'begins with HTTP_HEADER'],
  ])('are refused with %s, which is not quoted, and no host is asked', async (_what, details, text) => {
    const executed = gateway.executed.length;
    const error: unknown = await register(details).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ errorcode: 431, errortext: expect.stringContaining(text) });
    expect((error as { errortext: string }).errortext).not.toContain(SECRET);
    expect(gateway.executed).toHaveLength(executed);
    expect(gateway.log()).not.toContain(SECRET);
  });
});
