import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Bandwidth } from '../../kvm/download/bandwidth.js';
import type { DownloadContext } from '../../kvm/download/download.js';
import { readSources, type SourcePlan } from '../../kvm/download/read-sources.js';
import { onPool } from '../../kvm/storage/pool-error.js';
import { reserveSpace } from '../../kvm/storage/reserve-space.js';
import { SpaceReservation } from '../../kvm/storage/space-reservation.js';
import { unpackWhileGrowing } from '../../kvm/unpack/unpack-while-growing.js';
import type { Digest } from '../../shared/checksum.js';
import { displayUrl } from '../../shared/display-url.js';
import { isSlipwayError, SlipwayError } from '../../shared/errors.js';
import { expectedDigests, verifyDigests } from '../../shared/expected-digests.js';
import type { DownloadProgress, DownloadResult, ImageFormat } from '../../shared/images.js';
import type { FetchCommand } from './arguments.js';
import { isOfBytes, isWorthAnother, type WrongBytes } from './checksum-attempts.js';
import { downloadFromTiers } from './download-from-tiers.js';
import { fileNameOf } from './file-names.js';
import { openSource, type OpenedSource } from './open-source.js';
import { PartialFiles } from './partial-files.js';
import { placeImage, requireNoFile } from './place-image.js';
import type { ProgressDisplay } from './progress-display.js';
import type { FetchResult } from './results.js';

/** Of several files of a metalink the one that looks most like this is taken, unless a format is given. */
const USUAL_FORMAT: ImageFormat = 'QCOW2';
/** What was not used of a metalink is `metalink`'s to tell. */
const MAX_DROPPED_SHOWN = 3;

/**
 * Brings an image from a URL into a directory: sources → download, hashed and unpacked on the way → checksum →
 * inspection → its final name. What an earlier run left is continued; what this one leaves when it fails is kept, unless
 * the bytes themselves are wrong.
 */
export async function fetchImage(
  command: FetchCommand,
  display: ProgressDisplay,
  signal: AbortSignal,
): Promise<FetchResult> {
  const startedMs = performance.now();
  const source = await openSource(command.url, command.source, signal);
  const { url } = source.registered;
  const name = command.name ?? fileNameOf(url);
  const files = await PartialFiles.open(command.pool, url, command.checksum);
  try {
    const to = join(files.directory, name);
    if (!command.isReplacing) await onPool(command.pool, 'look for the image', () => requireNoFile(to));
    display.note(`Reading ${displayUrl(url)}`);
    const plan = await readSources(url, command.format ?? USUAL_FORMAT, source.settings, source.context);
    noteDropped(plan, display);
    const run = new FetchRun({ command, source, plan, files, to, display, signal });
    return { command: 'fetch', isOk: true, ...(await run.attempt(startedMs)) };
  } finally {
    await files.close();
  }
}

function noteDropped({ dropped }: SourcePlan, display: ProgressDisplay): void {
  for (const { what, why } of dropped.slice(0, MAX_DROPPED_SHOWN)) display.note(`Not used: ${what}: ${why}`);
  if (dropped.length > MAX_DROPPED_SHOWN) display.note(`Not used: ${dropped.length - MAX_DROPPED_SHOWN} more`);
}

interface RunOptions {
  command: FetchCommand;
  source: OpenedSource;
  plan: SourcePlan;
  files: PartialFiles;
  to: string;
  display: ProgressDisplay;
  signal: AbortSignal;
}

/** The attempts of one command. */
class FetchRun {
  readonly #options: RunOptions;
  readonly #expected: Digest[];
  readonly #guilty = new Set<string>();
  readonly #wrong: WrongBytes[] = [];

  constructor(options: RunOptions) {
    this.#options = options;
    this.#expected = expectedDigests(options.command.checksum, options.plan.digests);
  }

  async attempt(startedMs: number): Promise<Omit<FetchResult, 'command' | 'isOk'>> {
    const { files, display, to } = this.#options;
    for (let attempt = 1; ; attempt++) {
      let downloaded: DownloadResult | undefined;
      let isVouched = false;
      try {
        downloaded = await this.#download(attempt > 1);
        verifyDigests(this.#expected, downloaded.digests);
        isVouched = this.#expected.length > 0;
        const inspection = await this.#place(downloaded);
        await files.discard();
        return {
          path: to,
          format: inspection.format,
          virtualSizeBytes: inspection.virtualSizeBytes,
          sizeBytes: inspection.physicalSizeBytes,
          download: {
            sizeBytes: downloaded.sizeBytes,
            resumedFromBytes: downloaded.resumedFromBytes,
            compression: downloaded.unpacked?.compression ?? null,
            digests: downloaded.digests,
            isVerified: isVouched,
            attempts: attempt,
            elapsedMs: Math.round(performance.now() - startedMs),
            mirrors: downloaded.mirrors,
          },
        };
      } catch (error) {
        if (!isSlipwayError(error) || !isOfBytes(error.code)) throw error;
        await files.discard();
        this.#blame(downloaded);
        this.#wrong.push({ code: error.code, isVouched, digests: downloaded?.digests ?? [] });
        if (!isWorthAnother(this.#wrong, this.#hasOthers)) throw error;
        display.note(`Attempt ${attempt}: ${error.message}`);
        display.note('Trying again: one source after the other, if there are several');
      }
    }
  }

  get #hasOthers(): boolean {
    return this.#options.plan.tiers.some(({ urls }) => urls.some((url) => !this.#guilty.has(displayUrl(url))));
  }

  /** Of several that brought bytes together nobody knows which one was wrong; nor who brought what was there before. */
  #blame(downloaded: DownloadResult | undefined): void {
    const suspects = downloaded?.mirrors.filter(({ bytes }) => bytes > 0) ?? [];
    if (downloaded && downloaded.resumedFromBytes === 0 && suspects.length === 1) this.#guilty.add(suspects[0]!.url);
  }

  async #download(isOneAtATime: boolean): Promise<DownloadResult> {
    const { source, plan, files, display, signal } = this.#options;
    const { settings, context } = source;
    const space = new SpaceReservation((sizeBytes, ended) =>
      onPool(files.directory, `set ${sizeBytes} bytes aside`, () => reserveSpace(files.path, sizeBytes, ended)),
    );
    const bandwidth = new Bandwidth();
    bandwidth.setCaps(settings.bandwidth);
    try {
      return await downloadFromTiers({
        tiers: plan.tiers,
        guilty: this.#guilty,
        note: (text) => display.note(text),
        request: {
          partialPath: files.path,
          expectedSizeBytes: plan.sizeBytes,
          pieces: plan.pieces,
          hasVouchedDigest: this.#expected.length > 0,
          isOneAtATime,
          algorithms: this.#expected.length > 0 ? this.#expected.map(({ algorithm }) => algorithm) : ['SHA-256'],
          settings,
        },
        context: {
          ...context,
          signal: AbortSignal.any([signal, space.signal]),
          limitsOf: (url) => bandwidth.limitsFor(files.directory, url.origin),
          onProgress: (progress: DownloadProgress) => {
            if (progress.totalBytes !== undefined) space.sizeIs(progress.totalBytes);
            display.progress(progress);
          },
          unpack: this.#unpack,
        },
      });
    } catch (error) {
      throw space.signal.aborted ? space.signal.reason : error;
    } finally {
      await space.ended();
    }
  }

  readonly #unpack: DownloadContext['unpack'] = (input, signal, onProgress) =>
    unpackWhileGrowing({
      input,
      outputPath: this.#options.files.unpackedPath,
      limits: { maxOutputBytes: this.#options.source.settings.maxSizeBytes },
      signal,
      onProgress,
    });

  async #place({ unpacked, unpackFailure }: DownloadResult): ReturnType<typeof placeImage> {
    const { command, files, to, display } = this.#options;
    if (unpackFailure) throw new SlipwayError(unpackFailure.code, unpackFailure.message);
    display.note('Inspecting the image');
    return onPool(command.pool, 'put the image in its place', () =>
      placeImage({
        from: unpacked ? files.unpackedPath : files.path,
        to,
        format: command.format,
        isReplacing: command.isReplacing,
      }),
    );
  }
}
