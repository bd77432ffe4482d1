import { cancellationSignal } from '@temporalio/activity';
import { probe } from '../../kvm/download/probe.js';
import { readSources as readSourcePlan } from '../../kvm/download/read-sources.js';
import type { RegisteredSource } from '../../kvm/download/source-client.js';
import { displayUrl } from '../../shared/display-url.js';
import { SlipwayError } from '../../shared/errors.js';
import type { ImageFormat, ProbeResult } from '../../shared/images.js';
import type { DownloadSettings } from '../../shared/download-settings.js';
import type { SealedSourcePlan, SealedUrl, TemplateCopyRef } from '../../shared/templates.js';
import { type HostDependencies, poolOf } from './dependencies.js';
import { writePieces } from './pieces-file.js';
import { sealTier } from './tier-secrets.js';

export interface SourceInput {
  url: SealedUrl;
  format: ImageFormat;
  settings: DownloadSettings;
}

export interface ReadSourcesInput extends SourceInput {
  poolId: string;
  /** The try that the sources are for. */
  copy: TemplateCopyRef;
}

/** Temporal takes no result above 2 MiB; its refusal would say nothing about the document. */
const MAX_SEALED_LENGTH = 1024 * 1024;

/** Reads the first bytes of a registered URL; of each of its mirrors when it is a metalink. */
export const probeUrl =
  ({ keys, proxy, certificates: { trust } }: HostDependencies) =>
  async ({ url, format, settings }: SourceInput): Promise<ProbeResult> => {
    const registered = await keys.open<RegisteredSource>(url.sealed);
    return probe(registered.url, format, settings, { signal: cancellationSignal(), registered, proxy, trust });
  };

/** The sources of a template as tiers. Mirrors' URLs may hold secrets too: this host seals them to itself. */
export const readSources =
  (dependencies: HostDependencies) =>
  async ({ url, format, settings, poolId, copy }: ReadSourcesInput): Promise<SealedSourcePlan> => {
    const { keys, proxy, certificates } = dependencies;
    const registered = await keys.open<RegisteredSource>(url.sealed);
    const context = { signal: cancellationSignal(), registered, proxy, trust: certificates.trust };
    const plan = await readSourcePlan(registered.url, format, settings, context);
    const tiers = await Promise.all(
      plan.tiers.map(async ({ priority, location, urls }) => ({
        priority,
        location,
        mirrors: urls.map(displayUrl),
        sealed: await sealTier({ urls, registered }, keys),
      })),
    );
    if (tiers.reduce((sum, { sealed }) => sum + sealed.length, 0) > MAX_SEALED_LENGTH) {
      throw new SlipwayError(
        'SLIPWAY_METALINK_TOO_LARGE',
        `${url.display}: ${tiers.length} priorities, each with the template's URL and HTTP headers, are too much`,
      );
    }
    if (plan.pieces) await writePieces(poolOf(dependencies, poolId), copy, plan.pieces);
    return {
      isMetalink: plan.isMetalink,
      sizeBytes: plan.sizeBytes,
      digests: plan.digests,
      hasPieces: plan.pieces !== undefined,
      dropped: plan.dropped.map(({ what, why }) => `${what}: ${why}`),
      tiers,
    };
  };
