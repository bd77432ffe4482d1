import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** Starting one VM makes several events within milliseconds; they are one change. */
const DEBOUNCE_MS = 200;
const FIRST_RECONNECT_MS = 500;
const MAX_RECONNECT_MS = 5_000;

/**
 * Calls `onChange` shortly after any domain of this libvirt started, stopped, paused or crashed, and whenever the
 * connection was made anew: what happened meanwhile was not heard. Resolves when `signal` aborts.
 */
export async function watchDomains(uri: string, signal: AbortSignal, onChange: () => void): Promise<void> {
  let reconnectMs = FIRST_RECONNECT_MS;
  while (!signal.aborted) {
    // A host that has no memory or descriptors left at this moment has some later. Nobody would hear of a failure, which
    // ends the process then.
    const wasConnected = await listen(uri, signal, onChange).catch(() => false);
    reconnectMs = wasConnected ? FIRST_RECONNECT_MS : Math.min(reconnectMs * 2, MAX_RECONNECT_MS);
    await sleep(reconnectMs, undefined, { signal }).catch(() => undefined);
  }
}

/** @returns whether libvirt answered, once the connection is lost */
async function listen(uri: string, signal: AbortSignal, onChange: () => void): Promise<boolean> {
  let hasAnswered = false;
  let pending: NodeJS.Timeout | undefined;
  // `uri` prints a line once connected. The parent-death signal leaves no listener behind when this process is killed;
  // the keepalive notices a libvirtd that hangs.
  const virsh = ['virsh', '--quiet', '--keepalive-interval', '5', '--keepalive-count', '3', '--connect', uri];
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', ...virsh, 'uri; event --event lifecycle --loop'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, LC_ALL: 'C' },
    signal,
  });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  // There is none when no descriptor was left for it, whatever the type says.
  (child.stdout as Readable | undefined)?.on('data', () => {
    hasAnswered = true;
    pending ??= setTimeout(() => {
      pending = undefined;
      onChange();
    }, DEBOUNCE_MS);
  });
  await ended;
  clearTimeout(pending);
  return hasAnswered;
}
