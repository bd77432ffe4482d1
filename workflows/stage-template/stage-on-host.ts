import { CancellationScope, log, setCurrentDetails } from '@temporalio/workflow';
import { formatDigest } from '../../shared/checksum.js';
import { failoverOf } from '../../shared/errors.js';
import { expectedDigests } from '../../shared/expected-digests.js';
import { causesOf } from '../../shared/failures.js';
import type { InstalledTemplate, StagePlan, TemplateCopyRef } from '../../shared/templates.js';
import { control, onHost } from '../activity-proxies.js';
import { failureOf, toWorkflowFailure } from '../failure-of.js';
import { downloadFromTiers } from './download-from-tiers.js';
import type { WatchedHost } from './survive-restart.js';
import type { Demand } from './take-turn.js';

/** A mirror may deliver wrong bytes once; three times in a row is the image's own fault. */
const CHECKSUM_ATTEMPTS = 3;
/** A few tries, each with a few redirects, at a URL, at the metalink that it leads to, and at the one that this leads to. */
const MOST_REQUESTS_FOR_SOURCES = 50;

export interface StagedCopy {
  copy: TemplateCopyRef;
  installed: InstalledTemplate;
}

/**
 * Sources → download → checksum → inspect and install, on one host. Wrong bytes are thrown away and fetched again,
 * beginning with mirrors not yet found guilty, three times in all. The first time all mirrors of a tier work together;
 * after that one by one, so that it is known who sends wrong bytes. Whatever fails leaves no file.
 */
export async function stageOnHost(
  plan: StagePlan,
  spoolRefId: string,
  watched: WatchedHost,
  demand: Demand,
): Promise<StagedCopy> {
  const { hostId, hostName, url, format, settings, poolId } = plan;
  const guilty: string[] = [];
  let suspects: string[] = [];

  for (let attempt = 1, copy = plan.copy; ; attempt++) {
    if (attempt > 1) copy = await control('files of its own for the next try').nextEpoch({ spoolRefId, copy });
    const label = `checksum attempt ${attempt}/${CHECKSUM_ATTEMPTS}`;
    let isVouched = false;
    try {
      setCurrentDetails(`**${plan.templateName}** on **${hostName}**: reading sources`);
      const patienceMs = MOST_REQUESTS_FOR_SOURCES * (settings.connectTimeoutMs + settings.socketTimeoutMs);
      const readSources = onHost(hostId, `read sources of ${url.display}`, patienceMs).readSources;
      const sources = await readSources({ url, format, settings, poolId, copy });
      const expected = expectedDigests(plan.checksum, sources.digests);
      const { mirrors, resumedFromBytes, unpacked, unpackFailure } = await downloadFromTiers({
        plan,
        copy,
        resumeFrom: attempt === 1 ? plan.resumeFrom : null,
        sources,
        expected,
        guilty,
        isOneAtATime: attempt > 1,
        watched,
        demand,
        label,
      });
      suspects = mirrors.filter(({ bytes }) => bytes > 0).map((mirror) => mirror.url);
      // Nobody knows who brought what an earlier process left.
      if (resumedFromBytes > 0) suspects = [];
      if (expected.length > 0) {
        await onHost(hostId, `verify ${label}: ${expected.map(formatDigest).join(', ')}`).verifyChecksum({
          poolId,
          copy,
          expected,
        });
        isVouched = true;
      }
      if (unpackFailure) throw toWorkflowFailure(unpackFailure);
      setCurrentDetails(`**${plan.templateName}** on **${hostName}**: installing`);
      const installed = await onHost(hostId, `inspect and install on ${plan.poolName}`).installTemplate({
        poolId,
        copy,
        format,
        isUnpacked: unpacked !== undefined,
      });
      return { copy, installed };
    } catch (error) {
      await discardCopy(plan, spoolRefId, copy);
      const failure = failureOf(error);
      const isOfBytes = failoverOf(failure.code) === 'otherBytes';
      if (isOfBytes && isVouched) {
        // A hash vouched for these bytes: they are right, and will stay unusable.
        const { message } = failure;
        throw toWorkflowFailure({ code: 'SLIPWAY_IMAGE_UNUSABLE', message, causes: causesOf([failure]) });
      }
      const isWrong = isOfBytes || failure.code === 'SLIPWAY_CHECKSUM_MISMATCH';
      if (!isWrong || attempt === CHECKSUM_ATTEMPTS) throw error;
      // Of several that brought bytes together nobody knows which one was wrong.
      if (suspects.length === 1) guilty.push(...suspects);
      setCurrentDetails(`**${plan.templateName}** on **${hostName}**: ${label} failed: ${failure.message}`);
    }
  }
}

/**
 * Also when the stage is cancelled. A host that does not answer sweeps the files of dead tries itself when it comes back.
 */
export const discardCopy = (plan: StagePlan, spoolRefId: string, copy: TemplateCopyRef): Promise<void> =>
  CancellationScope.nonCancellable(async () => {
    if (await control('is it the copy that counts?').isCopyInstalled({ spoolRefId, copy })) return;
    try {
      await onHost(plan.hostId, `discard try ${copy.epoch}`).discardTemplateCopy({ poolId: plan.poolId, copy });
    } catch (error) {
      log.warn('files of a dead try stay until the host is back', { hostId: plan.hostId, failure: failureOf(error) });
    }
  });
