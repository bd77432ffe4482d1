import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { printsReady, startChildProcess, waitUntilReady, type ChildProcess } from './child-process.js';

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('child process', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'slipway-child-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const start = (script: string): Promise<ChildProcess> =>
    startChildProcess({
      name: 'sample',
      command: process.execPath,
      args: ['-e', script],
      env: { PATH: process.env['PATH'] },
      logPath: join(directory, 'logs', 'sample.log'),
    });

  test('is ready at its line, and its output is in the log', async () => {
    const child = await start(`console.log('starting'); console.log('ready on 1'); setInterval(() => {}, 1000)`);
    await waitUntilReady(child, printsReady(child), 10_000);
    expect(await readFile(child.logPath, 'utf8')).toBe('starting\nready on 1\n');
    await child.stop();
    expect(child.isRunning()).toBe(false);
  });

  test('a ready line of the start before does not count', async () => {
    await (
      await start(`console.log('ready')`)
    ).exited;
    const child = await start(`setTimeout(() => {}, 60_000)`);
    await expect(waitUntilReady(child, printsReady(child), 300)).rejects.toThrow(/was not ready after/);
    expect(child.isRunning()).toBe(false);
  });

  test('one that ends while starting is reported with the end of its log', async () => {
    const child = await start(`console.error('no such table'); process.exit(3)`);
    await expect(waitUntilReady(child, printsReady(child), 10_000)).rejects.toMatchObject({
      code: 'SLIPWAY_INSTALLATION',
      message: expect.stringMatching(/sample ended while starting.*no such table/s),
    });
    expect(await child.exited).toEqual({ code: 3, signal: null });
  });

  test('one that ignores the request to stop is killed after the grace', async () => {
    const child = await start(`process.on('SIGTERM', () => {}); console.log('ready'); setInterval(() => {}, 1000)`);
    await waitUntilReady(child, printsReady(child), 10_000);
    await child.stop(100);
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });

  test('does not outlive the process that started it, even when that is killed', async () => {
    const script = `
      import { startChildProcess } from '${join(import.meta.dirname, 'child-process.ts')}';
      const child = await startChildProcess({
        name: 'inner', command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'],
        env: {}, logPath: '${join(directory, 'inner.log')}',
      });
      console.log('ready ' + child.pid);
      setInterval(() => {}, 1000);`;
    const outer = await startChildProcess({
      name: 'outer',
      command: process.execPath,
      args: ['--import', 'tsx', '--input-type=module', '--eval', script],
      env: process.env,
      cwd: join(import.meta.dirname, '..'),
      logPath: join(directory, 'outer.log'),
    });
    await waitUntilReady(outer, printsReady(outer), 20_000);
    const inner = Number(/^ready (\d+)/m.exec(outer.output())?.[1]);
    expect(isAlive(inner)).toBe(true);
    outer.kill('SIGKILL');
    await outer.exited;
    for (let tries = 0; tries < 200 && isAlive(inner); tries += 1) await delay(25);
    expect(isAlive(inner)).toBe(false);
  }, 30_000);

  test('a program that is not there is an error with its name', async () => {
    const child = await startChildProcess({
      name: 'missing',
      command: '/nonexistent/program',
      args: [],
      env: {},
      logPath: join(directory, 'missing.log'),
    });
    await expect(waitUntilReady(child, printsReady(child), 10_000)).rejects.toThrow(
      /missing ended while starting.*nonexistent/s,
    );
  });
});
