import { host } from '../../db/schema/index.js';
import { startTestGateway, type TestGateway } from '../../tests/support/test-gateway.js';
import { findByName } from './admin-client.js';

describe('a host that is named to a command', () => {
  let gateway: TestGateway;
  const find = (nameOrId: string) => findByName(gateway.admin, 'host', nameOrId);

  beforeAll(async () => {
    gateway = await startTestGateway();
    const { zoneId: dataCenterId, podId, clusterId } = gateway.seeded;
    const place = { dataCenterId, podId, clusterId, publicKey: 'key' };
    // More than the API lists at once.
    const names = Array.from({ length: 501 }, (_, n) => `host-${String(n).padStart(3, '0')}`);
    await gateway.db.insert(host).values(names.map((name) => ({ ...place, name })));
  });
  afterAll(() => gateway.stop());

  it('is found among very many, by its name and by its id', async () => {
    const { id } = await find('host-500');
    expect(await find(id)).toMatchObject({ id, name: 'host-500' });
  });

  it('is found by a name that looks like an id, unless that is the id of another', async () => {
    const [{ id }, other] = [await find('host-001'), await find('host-002')];
    const name = crypto.randomUUID();
    await gateway.admin.call('updateHost', { id, name });
    expect(await find(name)).toMatchObject({ id });
    await gateway.admin.call('updateHost', { id: other.id, name: other.id });
    expect(await find(other.id)).toMatchObject({ id: other.id });
    await gateway.admin.call('updateHost', { id: other.id, name: 'host-002' });
    await gateway.admin.call('updateHost', { id, name: other.id });
    await expect(find(other.id)).rejects.toThrow('Several fit');
  });

  it('is told from those that there are when there is none', async () => {
    await expect(find('host-50')).rejects.toThrow(/There is no host host-50: name one of .*host-003, /);
  });
});
