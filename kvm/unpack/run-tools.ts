import { setTimeout as delay } from 'node:timers/promises';
import { SlipwayError } from '../../shared/errors.js';
import type { SpawnConfined } from '../confined/spawn-confined.js';
import { abortError } from '../download/abort.js';
import { poolFailure } from '../download/file-io.js';
import type { ToolChain } from './decompressors.js';
import { Feeder } from './feeder.js';
import type { OutputFile } from './output-file.js';
import { OutputWatch } from './output-watch.js';
import { startTools, type ToolOutcome } from './start-tools.js';
import { toolFailure } from './tool-failure.js';
import type { UnpackLimits } from './unpack-limits.js';

/** A bomb writes at most so long beyond its limit. */
const LOOK_INTERVAL_MS = 50;

interface Run {
  tools: ToolChain;
  spawn: SpawnConfined;
  pieces: (signal: AbortSignal) => AsyncIterable<Buffer>;
  output: OutputFile;
  limits: UnpackLimits;
  signal: AbortSignal;
  onProgress: ((unpackedBytes: number) => void) | undefined;
}

/**
 * Moves `pieces` through the programs into the output file, and ends them when a limit is passed. No program runs any
 * more when it settles.
 *
 * @returns length of the output
 */
export async function runTools({ tools, spawn, pieces, output, limits, signal, onProgress }: Run): Promise<number> {
  const running = startTools(tools, output.fd, limits.maxOutputBytes, spawn);
  const feeder = new Feeder(running.stdin);
  const watch = new OutputWatch(output, limits);
  const ending = new AbortController();
  let failure: Error | undefined;
  const fail = (error: unknown): void => {
    if (ending.signal.aborted) return;
    failure = signal.aborted ? abortError(signal) : poolFailure(error);
    ending.abort();
    running.kill();
  };
  const onAbort = (): void => fail(undefined);
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();

  const feeding = feeder.feed(pieces(ending.signal)).catch(fail);
  const watching = keepLooking(async () => {
    const unpackedBytes = await watch.look(feeder.fedBytes, false);
    onProgress?.(unpackedBytes);
  }, ending.signal);
  watching.catch(fail);
  let outcomes: ToolOutcome[] = [];
  try {
    outcomes = await running.ended;
  } catch (error) {
    fail(new SlipwayError('SLIPWAY_UNPACK_TOOL', 'Programs cannot be run on this host', { cause: error }));
  }
  signal.removeEventListener('abort', onAbort);
  ending.abort();
  const [isFed] = await Promise.all([feeding, watching.catch(() => undefined)]);
  if (failure) throw failure;
  const unpackedBytes = await watch.look(feeder.fedBytes, true);
  // A writer that ended takes its decompressor with it: the last failure is the first cause.
  const reasons = outcomes.map((outcome) => toolFailure(outcome, limits.maxOutputBytes));
  const reason = reasons.findLast(Boolean);
  if (reason) throw reason;
  if (isFed !== true) {
    throw new SlipwayError('SLIPWAY_UNPACK_CORRUPT', 'The file cannot be unpacked: it goes on after its data');
  }
  return unpackedBytes;
}

async function keepLooking(look: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await look();
    await delay(LOOK_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
}
