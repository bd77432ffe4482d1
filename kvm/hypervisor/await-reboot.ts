import { spawn } from 'node:child_process';

/** A libvirtd that hangs lets nobody connect: nothing would end the wait then. */
const CONNECT_MS = 30_000;

/**
 * Asks for a reboot and waits until the domain has begun it, which only an event tells: the domain lives on.
 *
 * @param ask called once events are listened to
 * @returns false when it has not within `timeoutMs`, or libvirt stopped telling
 */
export async function awaitReboot(
  { uri, uuid, timeoutMs, signal }: { uri: string; uuid: string; timeoutMs: number; signal: AbortSignal | undefined },
  ask: () => Promise<unknown>,
): Promise<boolean> {
  signal?.throwIfAborted();
  const virsh = ['virsh', '--quiet', '--connect', uri];
  // `uri` prints a line once connected. The parent-death signal leaves no listener behind when this process is killed.
  const listen = `uri; event --domain ${uuid} --event reboot --timeout ${Math.ceil(timeoutMs / 1000)}`;
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', ...virsh, listen], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, LC_ALL: 'C' },
    timeout: CONNECT_MS + timeoutMs,
  });
  const stop = (): unknown => child.kill();
  signal?.addEventListener('abort', stop);
  try {
    return await new Promise<boolean>((resolve, reject) => {
      let output = '';
      let hasAsked = false;
      // Before its output, of which there is none when no descriptor was left: nobody would hear of that then.
      child.once('close', () => resolve(false));
      child.once('error', () => resolve(false));
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (/^event 'reboot'/m.test(output)) resolve(true);
        if (hasAsked || !output.includes('\n')) return;
        hasAsked = true;
        ask().catch(reject);
      });
    });
  } finally {
    signal?.removeEventListener('abort', stop);
    stop();
    signal?.throwIfAborted();
  }
}
