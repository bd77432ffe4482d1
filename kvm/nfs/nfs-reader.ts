import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { SpawnConfined } from '../confined/spawn-confined.js';
import type { ByteSink } from '../download/byte-sink.js';
import type { NfsStat } from './nfs-file.js';
import { NFS_PROGRAM } from './nfs-program.js';
import type { NfsTrouble } from './nfs-trouble.js';

/** What the reading process has to know to open a file. */
export interface NfsOpening {
  /** Names of libnfs, best first. */
  libraries: readonly string[];
  /** Addresses, never names: nothing is to be looked up once more. */
  servers: readonly string[];
  /** To be tried in this order. */
  versions: readonly number[];
  nfsPort: number | undefined;
  mountPort: number | undefined;
  path: string;
  timeoutMs: number;
}

/** A process that has, or gets, one file open. It does one thing at a time. */
export interface NfsReader {
  /** Opens the file, if that was not done yet, and looks at it. Rejects with an Error whose cause is `NfsTrouble`. */
  stat(): Promise<NfsStat>;
  /** Moves these bytes into `sink`. Rejects as `stat` does, and with what `sink` throws. */
  read(fromByte: number, endByte: number, sink: ByteSink): Promise<void>;
  /** Ends it, with whatever it does. */
  kill(): void;
  readonly isAlive: boolean;
}

/** The processor time of some terabytes. */
const MAX_CPU_SECONDS = 6 * 3600;
/** What Node sets aside, most of it never used, and as much again. */
const MAX_ADDRESS_SPACE_BYTES = 4 * 1024 ** 3;
const MAX_LINE_BYTES = 64 * 1024;
const MAX_ERROR_TEXT = 4096;

/** What a reader rejects with. */
export class NfsReaderError extends Error {
  override readonly name = 'NfsReaderError';
  readonly trouble: NfsTrouble;

  constructor(trouble: NfsTrouble) {
    super(`NFS: ${trouble.kind}`);
    this.trouble = trouble;
  }
}

function koffiPaths(): { koffi: string; readable: string[] } {
  const require = createRequire(join(import.meta.dirname, 'nfs-reader.js'));
  const koffi = dirname(require.resolve('koffi'));
  // Its binaries are packages beside it.
  const binaries = join(dirname(koffi), '@koromix');
  return { koffi, readable: existsSync(binaries) ? [koffi, binaries] : [koffi] };
}

export function startNfsReader(opening: NfsOpening, spawn: SpawnConfined): NfsReader {
  const { koffi, readable } = koffiPaths();
  const child = spawn(process.execPath, ['--max-old-space-size=64', '--eval', NFS_PROGRAM, koffi], {
    stdio: ['pipe', 'pipe', 'pipe'],
    hasNetwork: true,
    // Exports are `secure` by default: they take calls from privileged ports only.
    canBindLowPorts: true,
    maxCpuSeconds: MAX_CPU_SECONDS,
    maxAddressSpaceBytes: MAX_ADDRESS_SPACE_BYTES,
    maxFileBytes: 0,
    readablePaths: [process.execPath, ...readable],
  });
  return new PipedReader(child, opening);
}

interface Job {
  onBytes(bytes: Buffer): void;
  fail(error: Error): void;
}

class PipedReader implements NfsReader {
  readonly #child: ChildProcess;
  readonly #input: Writable;
  readonly #output: Readable;
  #job: Job | undefined;
  #failure: Error | undefined;
  #errorText = '';

  constructor(child: ChildProcess, opening: NfsOpening) {
    const { stdin, stdout, stderr } = child;
    // Before there may be no pipes, as when no descriptor was left: a failure that nobody hears ends the process.
    child.once('error', (error) => this.#fail(error));
    if (!stdin || !stdout || !stderr) throw new Error('The NFS reader was started without pipes');
    this.#child = child;
    this.#input = stdin;
    this.#output = stdout;
    // That it has ended is known from its end.
    stdin.on('error', () => undefined);
    stdout.on('data', (bytes: Buffer) => this.#onBytes(bytes));
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errorText = (this.#errorText + text).slice(0, MAX_ERROR_TEXT);
    });
    child.once('close', () => this.#fail(new NfsReaderError(troubleIn(this.#errorText))));
    this.#send(opening);
  }

  get isAlive(): boolean {
    return this.#failure === undefined;
  }

  kill(): void {
    this.#end(new NfsReaderError({ kind: 'defect', text: 'The reader was ended' }));
  }

  stat(): Promise<NfsStat> {
    return this.#do<NfsStat>({ do: 'stat' }, (settle) => {
      let text = '';
      return (bytes) => {
        text += bytes.toString('latin1');
        if (text.length > MAX_LINE_BYTES) throw new Error('The NFS reader answered at length');
        if (!text.endsWith('\n')) return;
        const answer = JSON.parse(text) as { stat: NfsStat } | { trouble: NfsTrouble };
        if ('trouble' in answer) throw new NfsReaderError(answer.trouble);
        settle(answer.stat);
      };
    });
  }

  read(fromByte: number, endByte: number, sink: ByteSink): Promise<void> {
    let remainingBytes = endByte - fromByte;
    return this.#do<void>({ do: 'read', from: fromByte, end: endByte }, (settle, fail) => (bytes) => {
      if (bytes.length > remainingBytes) throw new Error('The NFS reader sent more than it was asked for');
      const isReady = sink.write(bytes);
      remainingBytes -= bytes.length;
      if (remainingBytes === 0) return settle();
      if (isReady) return;
      this.#output.pause();
      sink.whenWritable().then(() => this.#output.resume(), fail);
    });
  }

  /** What `onBytes` throws ends the reader: nobody could tell what the next bytes belong to. */
  #do<T>(
    request: object,
    start: (settle: (value: T) => void, fail: (error: Error) => void) => (bytes: Buffer) => void,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      const settle = (value: T): void => {
        this.#job = undefined;
        resolve(value);
      };
      this.#job = { onBytes: start(settle, (error) => this.#end(error)), fail: reject };
      this.#send(request);
    });
  }

  #send(message: object): void {
    this.#input.write(`${JSON.stringify(message)}\n`);
  }

  #onBytes(bytes: Buffer): void {
    // Of one that was ended, bytes that were on their way.
    if (this.#failure) return;
    try {
      if (!this.#job) throw new Error('The NFS reader spoke without being asked');
      this.#job.onBytes(bytes);
    } catch (error) {
      this.#end(error as Error);
    }
  }

  #end(error: Error): void {
    this.#fail(error);
    this.#child.kill('SIGKILL');
  }

  #fail(error: Error): void {
    if (this.#failure) return;
    this.#failure = error;
    const job = this.#job;
    this.#job = undefined;
    job?.fail(error);
  }
}

/** Its last words, if it had any. */
function troubleIn(text: string): NfsTrouble {
  const last = text.trim().split('\n').at(-1) ?? '';
  try {
    return JSON.parse(last) as NfsTrouble;
  } catch {
    return { kind: 'defect', text };
  }
}
