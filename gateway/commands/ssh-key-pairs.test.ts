import { eq } from 'drizzle-orm';
import { event, sshKeypairs } from '../../db/schema/index.js';
import { startTestGateway, type TestGateway, type TestUser } from '../../tests/support/test-gateway.js';
import { databaseTexts } from '../../tests/support/written-texts.js';

const PUBLIC_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHExKbaKCFtKxnTRYcaxk0lPvBCmkYR1MeNmVGYeFZBG';
const FINGERPRINT = /^([0-9a-f]{2}:){15}[0-9a-f]{2}$/;

let gateway: TestGateway;
let somebody: TestUser;
let other: TestUser;

beforeAll(async () => {
  gateway = await startTestGateway();
  somebody = await gateway.addUser('somebody');
  other = await gateway.addUser('other');
});
afterAll(() => gateway.stop());

const register = (name: string, { client } = somebody, publickey = PUBLIC_KEY) =>
  client.call('registerSSHKeyPair', { name, publickey });

const list = async (filter = {}, client = somebody.client): Promise<Record<string, unknown>[]> => {
  const { sshkeypair = [] } = await client.call('listSSHKeyPairs', filter);
  return sshkeypair as Record<string, unknown>[];
};

describe('createSSHKeyPair', () => {
  test('gives the private key once, and keeps it nowhere', async () => {
    const { keypair } = await somebody.client.call('createSSHKeyPair', { name: 'made' });
    const { privatekey, ...rest } = keypair as Record<string, string>;
    expect(rest).toEqual({
      id: expect.any(String),
      name: 'made',
      fingerprint: expect.stringMatching(FINGERPRINT),
      account: 'somebody',
      domain: 'ROOT',
      domainid: expect.any(String),
      domainpath: expect.any(String),
    });
    expect(privatekey).toMatch(/^-----BEGIN RSA PRIVATE KEY-----/);
    expect(await list({ name: 'made' })).toEqual([rest]);
    const [row] = await gateway.db.select().from(sshKeypairs).where(eq(sshKeypairs.keypairName, 'made'));
    expect(row!.publicKey).toMatch(/^ssh-rsa AAAA/);
    const secret = privatekey!.split('\n')[4]!;
    expect(secret).toHaveLength(64);
    const written = (await databaseTexts(gateway.db)) + gateway.log();
    expect(written).toContain(row!.publicKey);
    expect(written).toContain('"command":"createSSHKeyPair"');
    expect(written).not.toContain(secret);
  });
});

describe('registerSSHKeyPair', () => {
  test('keeps the key without its comment, and tells of it', async () => {
    const { keypair } = await register('mine', somebody, `${PUBLIC_KEY} me@laptop`);
    expect(keypair).toMatchObject({
      name: 'mine',
      fingerprint: expect.stringMatching(FINGERPRINT),
      account: 'somebody',
    });
    const { id } = keypair as { id: string };
    const [row] = await gateway.db.select().from(sshKeypairs).where(eq(sshKeypairs.id, id));
    expect(row!.publicKey).toBe(PUBLIC_KEY);
    const told = await gateway.db.select().from(event).where(eq(event.resourceId, id));
    expect(told).toMatchObject([{ type: 'REGISTER.SSH.KEYPAIR', accountId: somebody.accountId }]);
  });

  test('refuses a name that the account has, and what is no public key', async () => {
    await register('twice');
    await expect(register('twice')).rejects.toMatchObject({
      errorcode: 431,
      errortext: "A key pair with name 'twice' already exists for this account.",
    });
    await expect(register('twice', other)).resolves.toHaveProperty('keypair');
    await expect(register('bad', somebody, 'ssh-rsa AAAA')).rejects.toMatchObject({
      errorcode: 431,
      errortext: expect.stringContaining('Public key is invalid'),
    });
  });
});

describe('listSSHKeyPairs', () => {
  test('shows an account its own, a root admin all', async () => {
    await register('listed');
    const [own] = await list({ name: 'listed' });
    expect(own).toMatchObject({ name: 'listed', account: 'somebody' });
    expect(await list({ name: 'listed' }, other.client)).toEqual([]);
    expect(await list({ name: 'listed' }, gateway.admin)).toEqual([]);
    expect(await list({ name: 'listed', listall: true }, gateway.admin)).toEqual([own]);
    expect(await list({ keyword: 'list', fingerprint: own!['fingerprint'] })).toEqual([own]);
  });
});

describe('deleteSSHKeyPair', () => {
  test('deletes the pair of the caller, and of nobody else', async () => {
    await register('gone');
    await register('gone', other);
    expect(await somebody.client.call('deleteSSHKeyPair', { name: 'gone' })).toEqual({ success: true });
    expect(await list({ name: 'gone' })).toEqual([]);
    expect(await list({ name: 'gone' }, other.client)).toHaveLength(1);
    await expect(somebody.client.call('deleteSSHKeyPair', { name: 'gone' })).rejects.toMatchObject({
      errorcode: 431,
      errortext: "A key pair with name 'gone' does not exist for this account",
    });
  });
});
