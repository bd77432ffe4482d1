import type { LookupFunction } from 'node:net';
import type { DownloadSettings } from '../../shared/download-settings.js';
import { spawnConfined, type SpawnConfined } from '../confined/spawn-confined.js';
import { throwIfAborted } from '../download/abort.js';
import { transportFailure } from '../download/classify-failure.js';
import type { ByteRange, SourceBody, SourceClient } from '../download/source-client.js';
import { nfsLocation } from '../url-policy/nfs-url.js';
import { createUrlPolicy } from '../url-policy/url-policy.js';
import { IdleReaders } from './idle-readers.js';
import { nfsFile, nfsRange, type NfsStat } from './nfs-file.js';
import { NfsLease } from './nfs-lease.js';
import { startNfsReader, type NfsReader } from './nfs-reader.js';
import { resolveHost } from './resolve-host.js';

export interface NfsClientOptions {
  settings: DownloadSettings;
  /** Name resolution; the operating system's by default. The URL policy filters its answers. */
  resolve?: LookupFunction | undefined;
  spawn?: SpawnConfined | undefined;
  /** File names of libnfs, best first. */
  libraries?: readonly string[] | undefined;
}

/** Releases 4, 5 and 6. Another one may call differently, which in C is nothing to try. */
const LIBRARIES = ['libnfs.so.13', 'libnfs.so.14', 'libnfs.so.16'];
/** The kernel's own order. Version 4 needs one port and one connection; what it does not show may be exported in 3. */
const VERSIONS = [4, 3];
/** Far below the lease of version 4 (90 s), after which a server forgets who has the file open. */
const MAX_IDLE_MS = 10_000;
/** To start the process; then it is late, for it keeps to its own time unless it hangs. */
const GRACE_MS = 3_000;

/**
 * Reads files of NFS servers, versions 3 and 4, as nobody: nothing is mounted, and libnfs runs in confined processes.
 * There are as many processes as bodies are open at once; one that has done its work waits a while for more of its file.
 *
 * libnfs follows symbolic links by asking the server, so that they lead to no file of this host, whatever they say:
 * relative ones inside the export, absolute ones only with version 3 and when they name the export.
 *
 * @example
 * const client = createNfsClient({ settings });
 * const body = await client.open('nfs://images.example/export/disk.qcow2', signal, { fromByte: 4096 });
 * await body.pump(sink);
 * client.close();
 */
export function createNfsClient({ settings, resolve, spawn, libraries }: NfsClientOptions): SourceClient {
  const { connectTimeoutMs, socketTimeoutMs } = settings;
  const policy = createUrlPolicy(settings.allowedInternalCidrs, resolve);
  const closing = new AbortController();
  const idle = new IdleReaders(MAX_IDLE_MS);

  const start = async (url: URL, signal: AbortSignal): Promise<NfsReader> => {
    const { host, path, version, nfsPort, mountPort } = nfsLocation(url);
    const lookingUp = resolveHost(host, { lookup: policy.lookup, timeoutMs: connectTimeoutMs, signal });
    const servers = await lookingUp.catch((error: unknown) => {
      throwIfAborted(signal);
      throw transportFailure(url, error);
    });
    throwIfAborted(signal);
    const opening = {
      libraries: libraries ?? LIBRARIES,
      servers,
      versions: version === undefined ? VERSIONS : [version],
      nfsPort,
      mountPort,
      path,
      timeoutMs: connectTimeoutMs,
    };
    return startNfsReader(opening, spawn ?? spawnConfined);
  };

  const look = async (
    url: URL,
    reader: NfsReader,
    signal: AbortSignal,
  ): Promise<{ lease: NfsLease; stat: NfsStat }> => {
    const lease = new NfsLease(url, reader, signal, (free) => idle.put(url.href, free));
    return { lease, stat: await lease.stat(connectTimeoutMs + GRACE_MS) };
  };

  const lookAgain = async (url: URL, signal: AbortSignal): Promise<{ lease: NfsLease; stat: NfsStat }> => {
    const kept = idle.take(url.href);
    try {
      if (kept) return await look(url, kept, signal);
    } catch {
      // Its connection may have ended while it was idle, or the file been replaced: a new one tells.
      throwIfAborted(signal);
    }
    return look(url, await start(url, signal), signal);
  };

  const open = async (text: string, caller: AbortSignal, range: ByteRange = { fromByte: 0 }): Promise<SourceBody> => {
    const url = policy.checkUrl(text, 'nfs');
    const signal = AbortSignal.any([caller, closing.signal]);
    throwIfAborted(signal);
    const { lease, stat } = await lookAgain(url, signal);
    try {
      const { sizeBytes, etag, lastModified } = nfsFile(url, stat);
      const { fromByte, endByte } = nfsRange(url, { sizeBytes, etag, lastModified }, range);
      const bodyBytes = endByte - fromByte;
      let isTaken = false;
      return {
        url,
        fromByte,
        bodyBytes,
        totalBytes: sizeBytes,
        etag,
        lastModified,
        hasRanges: true,
        hints: { links: [], digests: [] },
        async pump(sink) {
          isTaken = true;
          throwIfAborted(signal);
          if (bodyBytes > 0) await lease.read(fromByte, endByte, sink, socketTimeoutMs);
          lease.giveBack();
        },
        discard() {
          // Nothing is under way before it is asked for; what is under way cannot be called back.
          if (isTaken) lease.end(new Error('The body was discarded'));
          else lease.giveBack();
          isTaken = true;
        },
      };
    } catch (error) {
      lease.end();
      throw error;
    }
  };

  return {
    open,
    close() {
      closing.abort();
      idle.close();
    },
  };
}
