import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startOriginServer, type OriginServer } from '../../demo/origin-server.js';
import type { DownloadResult } from '../../shared/images.js';
import { type DownloadSettings, downloadSettings } from '../../shared/download-settings.js';
import { defaultSettings } from '../../shared/settings.js';
import { download, type DownloadContext, type DownloadRequest } from './download.js';

/** Timeouts short enough for tests of silence, and loopback allowed: the origin servers live there. */
export const testSettings = (changes: Partial<DownloadSettings> = {}): DownloadSettings => ({
  ...downloadSettings(defaultSettings()),
  connectTimeoutMs: 2_000,
  socketTimeoutMs: 400,
  connectionRequestTimeoutMs: 2_000,
  followRedirects: true,
  allowedInternalCidrs: ['127.0.0.0/8'],
  maxSizeBytes: 1024 ** 3,
  ...changes,
});

/** Real origin servers and a directory to download to. */
export class DownloadBench {
  readonly origin: OriginServer;
  readonly mirror: OriginServer;
  readonly directory: string;

  private constructor(origin: OriginServer, mirror: OriginServer, directory: string) {
    this.origin = origin;
    this.mirror = mirror;
    this.directory = directory;
  }

  static async start(): Promise<DownloadBench> {
    const directory = await mkdtemp(join(tmpdir(), 'slipway-download-'));
    return new DownloadBench(await startOriginServer(), await startOriginServer(), directory);
  }

  get partialPath(): string {
    return join(this.directory, 'image.partial');
  }

  request(changes: Partial<DownloadRequest> = {}): DownloadRequest {
    return {
      sources: [`${this.origin.url}/disk`],
      partialPath: this.partialPath,
      hasVouchedDigest: false,
      algorithms: ['SHA-256'],
      settings: testSettings(),
      ...changes,
    };
  }

  download(changes: Partial<DownloadRequest> = {}, context: Partial<DownloadContext> = {}): Promise<DownloadResult> {
    return download(this.request(changes), { signal: new AbortController().signal, ...context });
  }

  /** What lies on disk. */
  read(): Promise<Buffer> {
    return readFile(this.partialPath);
  }

  async stop(): Promise<void> {
    await this.origin.stop();
    await this.mirror.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}

export const MIB = 1024 * 1024;
export const randomContent = (bytes: number): Buffer => randomBytes(bytes);
export const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');
