import { setCurrentDetails } from '@temporalio/workflow';
import type { ErrorCode } from '../shared/errors.js';
import { causesOf } from '../shared/failures.js';
import type { ProbeResult } from '../shared/images.js';
import type { RegisterTemplateInput } from '../shared/templates.js';
import { askOnHost, promptControl } from './activity-proxies.js';
import { failureOf, toWorkflowFailure } from './failure-of.js';

/** The API call waits: at most three hosts and 15 seconds in all. */
const MAXIMUM_HOSTS = 3;
const TOTAL_MS = 15_000;
const PER_HOST_MS = TOTAL_MS / MAXIMUM_HOSTS;

/**
 * Probes a template's URL from a random Up KVM host of its zones, and from another one when that host does not reach
 * it: hosts may differ in what they reach. For a metalink each of its URLs is probed, and one that answers is enough.
 */
export async function validateUrl({ templateId, zoneIds, format }: RegisterTemplateInput): Promise<ProbeResult> {
  const excludedHostIds: string[] = [];
  const reasons: { code: ErrorCode; text: string; causes?: ErrorCode[] }[] = [];
  while (excludedHostIds.length < MAXIMUM_HOSTS) {
    const host = await promptControl('pick a random Up host').pickValidationHost({ zoneIds, excludedHostIds });
    if (!host) break;
    excludedHostIds.push(host.hostId);
    const url = await promptControl(`seal the URL for ${host.hostName}`).sealTemplateUrl({
      templateId,
      hostId: host.hostId,
    });
    try {
      const { probeUrl } = askOnHost(host.hostId, PER_HOST_MS, `probe ${url.display} from ${host.hostName}`);
      return await probeUrl({ url, format, settings: host.settings });
    } catch (error) {
      const { message, ...why } = failureOf(error);
      reasons.push({ ...why, text: `URL: ${url.display} validation failed on host ${host.hostName}: ${message}` });
      setCurrentDetails(reasons.map(({ text }) => text).join('\n\n'));
    }
  }
  if (reasons.length === 0) {
    throw toWorkflowFailure({
      code: 'SLIPWAY_NO_HOST',
      message: "Couldn't find a host to validate URL: no KVM host of the zone is Up",
    });
  }
  // A URL that policy forbids is the caller's mistake and has an error of its own, when every host says so.
  const code = reasons.every((reason) => reason.code === reasons[0]?.code) ? callerError(reasons[0]!.code) : undefined;
  throw toWorkflowFailure({
    code: code ?? 'SLIPWAY_URL_VALIDATION',
    message: reasons.map(({ text }) => text).join('\n'),
    causes: causesOf(reasons),
  });
}

const callerError = (code: ErrorCode): ErrorCode | undefined =>
  code === 'SLIPWAY_URL_FORBIDDEN' || code === 'SLIPWAY_URL_INVALID' ? code : undefined;
