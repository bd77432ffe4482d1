import { createServer, type AddressInfo, type Server } from 'node:net';
import { isPortFree, pickFreePorts, requireFreePort } from './ports.js';

const listen = (port: number): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer().listen(port, '127.0.0.1', () => resolve(server));
  });

const close = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

describe('ports', () => {
  test('a port that a program listens on is not free, and is free again afterwards', async () => {
    const server = await listen(0);
    const { port } = server.address() as AddressInfo;
    expect(await isPortFree(port)).toBe(false);
    await close(server);
    expect(await isPortFree(port)).toBe(true);
  });

  test('a taken port is refused by its number, its purpose and the flag that moves it', async () => {
    const server = await listen(0);
    const { port } = server.address() as AddressInfo;
    const refusal = requireFreePort(port, 'the API', '--port', 0);
    await expect(refusal).rejects.toMatchObject({ code: 'SLIPWAY_INSTALLATION' });
    await expect(refusal).rejects.toThrow(new RegExp(`Port ${port} .*the API.*--port`));
    await close(server);
    await expect(requireFreePort(port, 'the API', '--port')).resolves.toBeUndefined();
  });

  test('a port that its last user is about to leave is waited for', async () => {
    const server = await listen(0);
    const { port } = server.address() as AddressInfo;
    const waiting = requireFreePort(port, 'the API', '--port', 60_000);
    await close(server);
    await expect(waiting).resolves.toBeUndefined();
  });

  test('picked ports differ, are free and lie below the range of outgoing connections', async () => {
    const ports = await pickFreePorts(8);
    expect(new Set(ports).size).toBe(8);
    for (const port of ports) {
      expect(port).toBeLessThan(32_768);
      expect(await isPortFree(port)).toBe(true);
    }
  });
});
