import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readSources, type SourcePlan } from '../../kvm/download/read-sources.js';
import { parseMetalink } from '../../kvm/metalink/parse-metalink.js';
import { displayUrl } from '../../shared/display-url.js';
import { SlipwayError } from '../../shared/errors.js';
import type { ImageFormat } from '../../shared/images.js';
import type { MetalinkCommand } from './arguments.js';
import { openSource, settingsOf } from './open-source.js';
import type { MetalinkResult } from './results.js';
import { unreadable } from './usage-error.js';

const URL_LIKE = /^(?:@|[a-z][a-z0-9+.-]*:\/\/)/i;

/** Tells what a metalink says, and what of it is not used. */
export async function readMetalink(command: MetalinkCommand, signal: AbortSignal): Promise<MetalinkResult> {
  const format = command.format ?? 'QCOW2';
  const plan = URL_LIKE.test(command.document) ? await ofUrl(command, format, signal) : await ofFile(command, format);
  const { isMetalink, sizeBytes = null, digests, pieces, tiers, dropped } = plan;
  return {
    command: 'metalink',
    isOk: true,
    isMetalink,
    sizeBytes,
    digests,
    pieces: pieces
      ? { algorithm: pieces.algorithm, lengthBytes: pieces.lengthBytes, count: pieces.values.length }
      : null,
    tiers: tiers.map(({ priority, location = null, urls }) => ({ priority, location, urls: urls.map(displayUrl) })),
    dropped,
  };
}

async function ofUrl(command: MetalinkCommand, format: ImageFormat, signal: AbortSignal): Promise<SourcePlan> {
  const { registered, settings, context } = await openSource(command.document, command.source, signal);
  const plan = await readSources(registered.url, format, settings, context);
  const isAlone = !plan.isMetalink && plan.digests.length === 0 && plan.dropped.length === 0;
  if (!isAlone) return plan;
  throw new SlipwayError(
    'SLIPWAY_METALINK_INVALID',
    `${displayUrl(registered.url)} leads to no metalink, and its server names no other sources`,
  );
}

async function ofFile({ document, source }: MetalinkCommand, format: ImageFormat): Promise<SourcePlan> {
  const bytes = await readFile(document).catch((error: unknown) => {
    throw unreadable('The file', document, error);
  });
  const { mirrorLocations } = settingsOf(source);
  const documentUrl = pathToFileURL(resolve(document)).href;
  return { isMetalink: true, ...parseMetalink(bytes, { documentUrl, format, mirrorLocations }) };
}
