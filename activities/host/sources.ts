import { cancellationSignal } from '@temporalio/activity';
import { probe } from '../../kvm/download/probe.js';
import { readSources as readSourcePlan } from '../../kvm/download/read-sources.js';
import { openSealed, seal } from '../../kvm/keystore/sealed-box.js';
import { displayUrl } from '../../shared/display-url.js';
import type { ImageFormat, ProbeResult } from '../../shared/images.js';
import type { DownloadSettings } from '../../shared/settings.js';
import type { SealedSourcePlan, SealedUrl } from '../../shared/templates.js';
import type { HostDependencies } from './dependencies.js';

export interface SourceInput {
  url: SealedUrl;
  format: ImageFormat;
  settings: DownloadSettings;
}

/** Reads the first bytes of a registered URL; of each of its mirrors when it is a metalink. */
export const probeUrl =
  ({ keyPair }: HostDependencies) =>
  async ({ url, format, settings }: SourceInput): Promise<ProbeResult> =>
    probe(await openSealed(url.sealed, keyPair), format, settings, { signal: cancellationSignal() });

/** The sources of a template as tiers. Mirrors' URLs may hold secrets too: this host seals them to itself. */
export const readSources =
  ({ keyPair }: HostDependencies) =>
  async ({ url, format, settings }: SourceInput): Promise<SealedSourcePlan> => {
    const plan = await readSourcePlan(await openSealed(url.sealed, keyPair), format, settings, {
      signal: cancellationSignal(),
    });
    return {
      isMetalink: plan.isMetalink,
      sizeBytes: plan.sizeBytes,
      digests: plan.digests,
      dropped: plan.dropped.map(({ what, why }) => `${what}: ${why}`),
      tiers: await Promise.all(
        plan.tiers.map(async ({ priority, location, urls }) => ({
          priority,
          location,
          mirrors: urls.map(displayUrl),
          sealed: await seal(JSON.stringify(urls), keyPair.publicKey),
        })),
      ),
    };
  };
