import { once } from 'node:events';
import { open, readdir, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { isSlipwayError } from '../../shared/errors.js';
import type { DownloadResult, PieceHashes, Unpacked } from '../../shared/images.js';
import type { GrowingFile } from '../unpack/growing-file.js';
import { discardPartial } from './download.js';
import { type Fault, type FaultServer, startFaultServer } from './fault-server.js';
import { DownloadBench, MIB, randomContent, sha256, testSettings } from './test-support.js';

const MAX_BYTES = 3 * MIB;
const RANDOM = randomContent(MAX_BYTES);

let bench: DownloadBench;
let server: FaultServer;
beforeAll(async () => {
  bench = await DownloadBench.start();
  server = await startFaultServer();
});
afterAll(async () => {
  await bench.stop();
  await server.stop();
});

interface Scenario {
  size: number;
  mirrors: { faults: Fault[]; always: Fault; maxConnections: number }[];
  pieceBytes: number | undefined;
  isSizeKnown: boolean;
  hasVouchedDigest: boolean;
  isOneAtATime: boolean;
  connections: number;
  algorithms: 'SHA-256'[];
}

const byte = fc.nat({ max: MAX_BYTES });
const corrupt = fc
  .tuple(byte, fc.integer({ min: 1, max: 300_000 }))
  .map(([fromByte, bytes]) => ({ fromByte, endByte: fromByte + bytes }));
const breaks: fc.Arbitrary<Fault>[] = [
  fc.record({ resetAt: byte }),
  fc.record({ stallAt: byte }),
  fc.record({ endAt: byte }),
  fc.record({ status: fc.constantFrom(400, 403, 404, 416, 429, 500, 503) }),
  fc.constant({ status: 503, headers: { 'retry-after': '0' } }),
  fc.constant({ status: 302, headers: { location: '/elsewhere' } }),
  fc.constant({ status: 302, headers: { location: '?again' } }),
  fc.record({ excessBytes: fc.integer({ min: -5, max: 5 }) }),
  fc.record({ rangeShift: fc.constantFrom(-1, 1, 1000) }),
  fc.record({ shorterBy: byte }),
  fc.record({ isGzipped: fc.constant(true) }),
  fc.record({ hugeHeaderBytes: fc.constantFrom(1000, 100_000) }),
  fc.record({ etag: fc.constantFrom('"other"', 'W/"weak"', null) }),
  fc.record({ isHinted: fc.constant(true), isClosing: fc.boolean() }),
  fc.record({ isChunked: fc.constant(true), endAt: byte }),
];
const lies: fc.Arbitrary<Fault> = fc.record({ corrupt });
const habits: fc.Arbitrary<Fault> = fc.record(
  {
    isIgnoringRange: fc.constant(true),
    isChunked: fc.constant(true),
    isClosing: fc.constant(true),
    isHinted: fc.constant(true),
    etag: fc.constantFrom('W/"weak"', null),
    bytesPerSecond: fc.constantFrom(4 * MIB, 40 * MIB),
  },
  { requiredKeys: [] },
);

const anyHabit: fc.Arbitrary<Fault> = fc.oneof(
  fc.constant({}),
  habits,
  habits,
  fc.tuple(habits, lies).map(([habit, lie]) => ({ ...habit, ...lie })),
);
const anyFault: fc.Arbitrary<Fault> = fc.oneof(...breaks, lies, fc.constant({}));
const scenarios: fc.Arbitrary<Scenario> = fc.record({
  size: fc.oneof(fc.constantFrom(0, 1, 256 * 1024, MIB, 2 * MIB + 1), fc.nat({ max: MAX_BYTES })),
  mirrors: fc.array(
    fc.record({
      faults: fc.array(anyFault, { maxLength: 5 }),
      always: anyHabit,
      maxConnections: fc.constantFrom(1, 9),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  pieceBytes: fc.option(fc.integer({ min: 50_000, max: MIB }), { nil: undefined }),
  isSizeKnown: fc.boolean(),
  hasVouchedDigest: fc.boolean(),
  isOneAtATime: fc.boolean(),
  connections: fc.constantFrom(1, 3),
  algorithms: fc.constant(['SHA-256' as const]),
});

const piecesOf = (content: Buffer, lengthBytes: number): PieceHashes => ({
  algorithm: 'SHA-256',
  lengthBytes,
  values: Array.from({ length: Math.ceil(content.length / lengthBytes) }, (_, index) =>
    sha256(content.subarray(index * lengthBytes, (index + 1) * lengthBytes)),
  ),
});

/** Reads a file as an unpacker does, and keeps what it saw. */
function follow(seen: { bytes?: Buffer }) {
  return async (file: GrowingFile, signal: AbortSignal): Promise<Unpacked | undefined> => {
    const chunks: Buffer[] = [];
    const aborted = once(signal, 'abort');
    const handle = await open(file.path, 'r');
    try {
      for (let position = 0; !signal.aborted;) {
        const { readyBytes, isWhole } = file;
        if (position < readyBytes) {
          const { buffer, bytesRead } = await handle.read(
            Buffer.alloc(readyBytes - position),
            0,
            readyBytes - position,
            position,
          );
          chunks.push(buffer.subarray(0, bytesRead));
          position += bytesRead;
        } else if (isWhole) {
          break;
        } else {
          await Promise.race([file.whenMore(), aborted]);
        }
      }
      seen.bytes = Buffer.concat(chunks);
      return undefined;
    } finally {
      await handle.close();
    }
  };
}

let runs = 0;

async function check(scenario: Scenario): Promise<void> {
  const { size, mirrors, pieceBytes, isSizeKnown, hasVouchedDigest, isOneAtATime, connections, algorithms } = scenario;
  const content = RANDOM.subarray(0, size);
  const run = `run-${(runs += 1)}`;
  const directory = join(bench.directory, run);
  await mkdir(directory);
  const partialPath = join(directory, 'image.partial');
  const sources = mirrors.map((mirror, index) => {
    server.serve(`/${run}/${index}`, { content, ...mirror });
    return `${server.url}/${run}/${index}`;
  });
  const hasPieces = pieceBytes !== undefined && isSizeKnown;
  const seen: { bytes?: Buffer } = {};
  let result: DownloadResult | undefined;
  try {
    result = await bench.download(
      {
        sources,
        partialPath,
        hasVouchedDigest,
        isOneAtATime,
        algorithms,
        expectedSizeBytes: isSizeKnown ? size : undefined,
        pieces: pieceBytes === undefined ? undefined : piecesOf(content, pieceBytes),
        settings: testSettings({
          socketTimeoutMs: 300,
          totalTimeoutMs: 45_000,
          ownServers: ['127.0.0.1'],
          ownServerConnections: connections,
        }),
      },
      { unpack: follow(seen) },
    );
  } catch (error) {
    if (!isSlipwayError(error)) throw error;
    // The deadline would hide that nothing happens any more.
    expect(['SLIPWAY_SOURCES_EXHAUSTED', 'SLIPWAY_TEMPLATE_TOO_LARGE']).toContain(error.code);
    const isGood = ({ faults, always }: Scenario['mirrors'][number]): boolean => faults.length === 0 && !always.corrupt;
    // What is judged piece by piece comes as long as one mirror has it.
    if (hasPieces && mirrors.some(isGood)) throw error;
  }
  if (result) {
    const file = await open(partialPath);
    const bytes = await file.readFile();
    await file.close();
    expect(result.sizeBytes).toBe(bytes.length);
    expect(result.digests).toEqual([{ algorithm: 'SHA-256', value: sha256(bytes) }]);
    expect(seen.bytes?.equals(bytes)).toBe(true);
    if (isSizeKnown) expect(bytes.length).toBe(size);
    const isTrue = mirrors.every(({ faults, always }) =>
      [...faults, always].every(
        (fault) =>
          !fault.corrupt &&
          !(fault.excessBytes && fault.excessBytes < 0) &&
          !(fault.isChunked && fault.endAt !== undefined),
      ),
    );
    if (hasPieces || isTrue) expect(bytes.equals(content)).toBe(true);
  }
  await discardPartial(partialPath);
  expect(await readdir(directory)).toEqual([]);
}

describe('any mixture of mirrors and faults', () => {
  it('ends with the file, or with an error and an empty directory', async () => {
    await fc.assert(
      // Several at once, for most of the time they wait.
      fc.asyncProperty(fc.array(scenarios, { minLength: 8, maxLength: 8 }), async (several) => {
        await Promise.all(several.map(check));
      }),
      { numRuns: Number(process.env['FAULT_RUNS'] ?? 4), endOnFailure: true },
    );
  }, 600_000);
});
