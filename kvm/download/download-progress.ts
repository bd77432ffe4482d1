import type { DownloadProgress } from '../../shared/images.js';
import type { DownloadJob } from './download-job.js';
import type { Follower } from './follower.js';
import type { PartialDownload } from './partial-download.js';
import { SpeedMeter } from './speed-meter.js';

/** What a download tells about itself. */
export class DownloadProgressMeter {
  readonly #partial: PartialDownload;
  readonly #job: DownloadJob;
  readonly #follower: Follower;
  #meter: SpeedMeter | undefined;

  constructor(partial: PartialDownload, job: DownloadJob, follower: Follower) {
    this.#partial = partial;
    this.#job = job;
    this.#follower = follower;
  }

  read(nowMs: number): DownloadProgress {
    const { file } = this.#partial;
    const { totalBytes } = this.#job;
    const bytes = file.writtenBytes;
    this.#meter ??= new SpeedMeter(bytes, nowMs);
    const bytesPerSecond = this.#meter.update(bytes, nowMs);
    return {
      bytes,
      bytesPerSecond,
      mirrors: this.#mirrors(),
      hashedBytes: file.hashedBytes,
      writtenBytes: bytes,
      ...(totalBytes === undefined ? {} : { totalBytes }),
      ...(totalBytes === undefined || bytesPerSecond === 0
        ? {}
        : { remainingMs: Math.round(((totalBytes - bytes) * 1000) / bytesPerSecond) }),
      ...(this.#follower.bytes > 0 ? { unpackedBytes: this.#follower.bytes } : {}),
    };
  }

  #mirrors(): DownloadProgress['mirrors'] {
    const speeds = new Map<string, { url: string; bytes: number; bytesPerSecond: number }>();
    for (const { source, bytesPerSecond } of this.#job.lanes) {
      const known = speeds.get(source.shown)?.bytesPerSecond ?? 0;
      speeds.set(source.shown, {
        url: source.shown,
        bytes: source.bytes,
        bytesPerSecond: known + bytesPerSecond,
      });
    }
    return [...speeds.values()].sort((a, b) => b.bytes - a.bytes);
  }
}
