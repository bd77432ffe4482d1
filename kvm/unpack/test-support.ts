import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { crc32, deflateRawSync } from 'node:zlib';
import { isSlipwayError } from '../../shared/errors.js';
import type { Unpacked } from '../../shared/images.js';
import type { GrowingFile } from './growing-file.js';
import { unpackWhileGrowing, type UnpackRequest } from './unpack-while-growing.js';

export const KIB = 1024;
export const MIB = 1024 ** 2;

/** A download of which a test decides how far it is. */
export class TestDownload implements GrowingFile {
  readonly path: string;
  readyBytes = 0;
  isWhole = false;
  #waiting: (() => void)[] = [];

  constructor(path: string) {
    this.path = path;
    writeFileSync(path, '');
  }

  static whole(path: string, content: Buffer): TestDownload {
    const download = new TestDownload(path);
    download.grow(content);
    download.end();
    return download;
  }

  /** The next bytes are there for good. */
  grow(content: Buffer): void {
    writeAt(this.path, content, this.readyBytes);
    this.readyBytes += content.length;
    this.#tell();
  }

  /** There are bytes behind the ready ones, which will be others. */
  arriveEarly(fileBytes: number): void {
    writeAt(this.path, Buffer.alloc(fileBytes - this.readyBytes, 'early'), this.readyBytes);
    this.#tell();
  }

  end(): void {
    this.isWhole = true;
    this.#tell();
  }

  whenMore(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #tell(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

function writeAt(path: string, content: Buffer, position: number): void {
  const fd = openSync(path, 'r+');
  try {
    writeSync(fd, content, 0, content.length, position);
  } finally {
    closeSync(fd);
  }
}

/** A directory in which things are unpacked. */
export class UnpackBench {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async start(): Promise<UnpackBench> {
    return new UnpackBench(await mkdtemp(join(tmpdir(), 'slipway unpack-')));
  }

  get inputPath(): string {
    return join(this.directory, 'input');
  }

  get outputPath(): string {
    return join(this.directory, 'output');
  }

  unpack(
    input: Buffer | GrowingFile,
    changes: Partial<UnpackRequest> = {},
    host: Parameters<typeof unpackWhileGrowing>[1] = {},
  ): Promise<Unpacked | undefined> {
    const request: UnpackRequest = {
      input: Buffer.isBuffer(input) ? TestDownload.whole(this.inputPath, input) : input,
      outputPath: this.outputPath,
      limits: { maxOutputBytes: 50 * 1024 * MIB },
      signal: new AbortController().signal,
      ...changes,
    };
    return unpackWhileGrowing(request, host);
  }

  /** The code and text of the error that unpacking has to end in. */
  async failure(...args: Parameters<UnpackBench['unpack']>): Promise<{ code: string; message: string }> {
    try {
      await this.unpack(...args);
    } catch (error) {
      if (isSlipwayError(error)) return { code: error.code, message: error.message };
      throw error;
    }
    throw new Error('Nothing failed');
  }

  output(): Promise<Buffer> {
    return readFile(this.outputPath);
  }

  async stop(): Promise<void> {
    await rm(this.directory, { recursive: true });
  }
}

/** What a program makes of `input`. */
export async function pipe(input: Buffer, program: string, ...args: string[]): Promise<Buffer> {
  const child = spawn(program, args);
  const pieces: Buffer[] = [];
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
  const complaint = text(child.stderr);
  child.stdin.end(input);
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${program}: ${await complaint}`);
  return Buffer.concat(pieces);
}

/** Data, a hole in its midst and one at its end. */
export function imageContent(): Buffer {
  const data = randomBytes(300 * KIB);
  return Buffer.concat([data, Buffer.alloc(2 * MIB), data, Buffer.alloc(3 * MIB)]);
}

interface TestMember {
  name: string;
  content: Buffer;
  /** Of the bytes in the file; the content deflated by default. */
  method?: number;
  packed?: Buffer;
  flags?: number;
  /** What the directory says, where it lies. */
  directory?: Directory;
}

interface Directory {
  name?: string;
  crc32?: number;
  packedBytes?: number;
  unpackedBytes?: number;
  offset?: number;
}

const uint16 = (value: number): Buffer => Buffer.from(Uint16Array.of(value).buffer);
const uint32 = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer);
const signature = (a: number, b: number): Buffer => Buffer.from([0x50, 0x4b, a, b]);

/** A zip file as no program would write it. */
export function zipFile(members: TestMember[], { gap = '', comment = '' } = {}): Buffer {
  const pieces: Buffer[] = [];
  const entries: Buffer[] = [];
  const length = (buffers: Buffer[]): number => buffers.reduce((sum, { length: bytes }) => sum + bytes, 0);
  for (const { name, content, method = 8, packed = deflateRawSync(content), flags = 0, directory } of members) {
    const member = { name, crc32: crc32(content), packedBytes: packed.length, unpackedBytes: content.length };
    const fields = (said: Required<Omit<Directory, 'offset'>>): Buffer =>
      Buffer.concat([
        Buffer.concat([uint16(20), uint16(flags), uint16(method), uint32(0)]),
        Buffer.concat([uint32(said.crc32), uint32(said.packedBytes), uint32(said.unpackedBytes)]),
        Buffer.concat([uint16(said.name.length), uint16(0)]),
      ]);
    const entry = { ...member, ...directory };
    const offset = directory?.offset ?? length(pieces);
    entries.push(signature(1, 2), uint16(20), fields(entry), Buffer.alloc(10), uint32(offset), Buffer.from(entry.name));
    pieces.push(signature(3, 4), fields(member), Buffer.from(name), packed);
  }
  pieces.push(Buffer.from(gap));
  const counts = Buffer.concat([uint32(0), uint16(members.length), uint16(members.length)]);
  const directory = Buffer.concat([uint32(length(entries)), uint32(length(pieces))]);
  const end = [signature(5, 6), counts, directory, uint16(comment.length), Buffer.from(comment)];
  return Buffer.concat([...pieces, ...entries, ...end]);
}

/** The most memory that programs which this process started had at a time while `work` was done. */
export async function peakMemoryBytes(work: () => Promise<void>): Promise<number> {
  let peakKib = 0;
  const timer = setInterval(() => {
    const parents = new Map<string, string>();
    const residentKib = new Map<string, number>();
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const status = statusOf(pid);
      parents.set(pid, /^PPid:\s+(\d+)/m.exec(status)?.[1] ?? '');
      residentKib.set(pid, Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0));
    }
    const isOurs = (pid: string | undefined): boolean =>
      pid !== undefined && (parents.get(pid) === String(process.pid) || isOurs(parents.get(pid)));
    const sum = [...residentKib].reduce((total, [pid, kib]) => (isOurs(pid) ? total + kib : total), 0);
    peakKib = Math.max(peakKib, sum);
  }, 50);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  if (peakKib === 0) throw new Error('No program was seen');
  return peakKib * KIB;
}

/** Of a process that may be gone. */
function statusOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}
