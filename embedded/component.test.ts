import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printsReady, startChildProcess, waitUntilReady, type ChildProcess } from './child-process.js';
import { startComponent, type Component } from './component.js';

describe('component', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'slipway-component-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  async function start(): Promise<ChildProcess> {
    const child = await startChildProcess({
      name: 'sample',
      command: process.execPath,
      args: ['-e', `console.log('ready'); setInterval(() => {}, 1000)`],
      env: {},
      logPath: join(directory, 'sample.log'),
    });
    await waitUntilReady(child, printsReady(child), 10_000);
    return child;
  }

  const run = (isRestarted: boolean, onLine: (line: string) => void = () => {}): Promise<Component> =>
    startComponent({ name: 'sample', start, isRestarted, onLine });

  test('one that was killed is started again, and it is said', async () => {
    const lines: string[] = [];
    let servesAgain: () => void;
    const again = new Promise<void>((resolve) => (servesAgain = resolve));
    const component = await run(true, (line) => {
      lines.push(line);
      if (line.includes('serves again')) servesAgain();
    });
    const { pid } = component;
    component.kill('SIGKILL');
    await again;
    expect(component.isRunning()).toBe(true);
    expect(component.pid).not.toBe(pid);
    expect(lines[0]).toMatch(/^sample ended by SIGKILL; it is started again/);
    await component.stop();
    expect(component.isRunning()).toBe(false);
  }, 20_000);

  test('without that it stays dead until it is started', async () => {
    const component = await run(false);
    component.kill('SIGKILL');
    expect(await component.exited()).toEqual({ code: null, signal: 'SIGKILL' });
    expect(component.isRunning()).toBe(false);
    await component.restart();
    expect(component.isRunning()).toBe(true);
    await component.stop();
  });
});
