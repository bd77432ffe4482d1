import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import type * as downloadModule from '../../kvm/download/download.js';
import { defaultSettings, downloadSettings } from '../../shared/settings.js';

/**
 * `download-once.ts <built module> <url> <path> <sha256>`: one verified download with the built code, in a process of
 * its own. Prints its milliseconds without the start of the process, and its largest memory.
 */
async function main([modulePath = '', url = '', partialPath = '', sha256 = '']: string[]): Promise<void> {
  const { download } = (await import(pathToFileURL(modulePath).href)) as typeof downloadModule;
  const startedMs = performance.now();
  const { digests } = await download(
    {
      sources: [url],
      partialPath,
      hasVouchedDigest: true,
      algorithms: ['SHA-256'],
      settings: {
        ...downloadSettings(defaultSettings()),
        allowedInternalCidrs: ['127.0.0.0/8'],
        maxSizeBytes: Number.MAX_SAFE_INTEGER,
      },
    },
    { signal: new AbortController().signal },
  );
  if (digests[0]?.value !== sha256) throw new Error('The digest is wrong');
  const elapsedMs = performance.now() - startedMs;
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6;
  process.stdout.write(`${JSON.stringify({ elapsedMs, maxMemoryBytes: maxRSS * 1024, cpuSeconds })}\n`);
}

await main(process.argv.slice(2));
