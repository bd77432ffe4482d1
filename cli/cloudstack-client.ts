import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_INTERVAL_MS = 250;

export type CloudStackParameters = Readonly<Record<string, string | number | boolean | undefined>>;

/** What is inside the envelope of a response. */
export type CloudStackResponse = Record<string, unknown>;

/** An error that the API answered with, or that a job ended with. */
export class CloudStackApiError extends Error {
  override readonly name = 'CloudStackApiError';
  readonly command: string;
  readonly errorcode: number;
  readonly errortext: string;

  constructor(command: string, { errorcode, errortext }: { errorcode: number; errortext: string }) {
    super(`${command}: ${errortext} (${errorcode})`);
    this.command = command;
    this.errorcode = errorcode;
    this.errortext = errortext;
  }
}

export interface CloudStackClient {
  /**
   * @returns the object inside the envelope
   * @throws CloudStackApiError
   */
  call(command: string, parameters?: CloudStackParameters): Promise<CloudStackResponse>;
  /**
   * Polls a job until it ends.
   *
   * @returns its `jobresult`
   * @throws CloudStackApiError when it failed, with its error text; Error when it has not ended in time
   */
  waitForJob(
    jobId: string,
    options: { timeoutMs: number; onPoll?: (job: CloudStackResponse) => unknown },
  ): Promise<CloudStackResponse>;
}

export interface CloudStackCredentials {
  /** With its path, as a rule `/client/api`. */
  endpoint: string;
  apiKey: string;
  secretKey: string;
}

/** Below the 15 minutes that a strict installation allows, and far from what clocks differ. */
const GOOD_FOR_MS = 600_000;

/**
 * A client of the CloudStack API that signs its requests (version 3): one that somebody saw is worth nothing ten minutes later.
 *
 * @example
 * const { zone } = await createCloudStackClient(credentials).call('listZones');
 */
export function createCloudStackClient({ endpoint, apiKey, secretKey }: CloudStackCredentials): CloudStackClient {
  const call: CloudStackClient['call'] = async (command, parameters = {}) => {
    const expires = new Date(Date.now() + GOOD_FOR_MS).toISOString();
    const all = { ...parameters, command, apiKey, response: 'json', signatureversion: '3', expires };
    // A form, not a query: what a query holds ends up in the logs of proxies.
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: signedForm(all, secretKey),
    });
    const text = await response.text();
    const body = innerObject(text);
    if (!body) throw new Error(`${command}: no CloudStack response but ${response.status} ${text.slice(0, 200)}`);
    if (!response.ok || isFailure(body)) throw new CloudStackApiError(command, failureOf(body));
    return body;
  };

  const waitForJob: CloudStackClient['waitForJob'] = async (jobId, { timeoutMs, onPoll }) => {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const job = await call('queryAsyncJobResult', { jobid: jobId });
      await onPoll?.(job);
      const result = (job['jobresult'] ?? {}) as CloudStackResponse;
      if (job['jobstatus'] === 1) return result;
      if (job['jobstatus'] !== 0) throw new CloudStackApiError(shortName(job['cmd']), failureOf(result));
      if (performance.now() > deadlineMs) throw new Error(`Job ${jobId} has not ended within ${timeoutMs} ms`);
      await sleep(POLL_INTERVAL_MS);
    }
  };
  return { call, waitForJob };
}

/** Sorted by name, encoded as Java does, signed over the lower-cased whole. */
function signedForm(parameters: CloudStackParameters, secretKey: string): string {
  const form = Object.entries(parameters)
    .filter(([, value]) => value !== undefined && value !== '')
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => [name, encode(String(value))] as const);
  const signed = form
    .map((pair) => pair.join('='))
    .join('&')
    .toLowerCase();
  const signature = createHmac('sha1', secretKey).update(signed).digest('base64');
  return [...form.map(([name, value]) => [encodeURIComponent(name), value]), ['signature', encode(signature)]]
    .map((pair) => pair.join('='))
    .join('&');
}

const encode = (value: string): string =>
  encodeURIComponent(value).replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

function innerObject(text: string): CloudStackResponse | undefined {
  try {
    const [inner] = Object.values(JSON.parse(text) as Record<string, unknown>);
    return typeof inner === 'object' && inner !== null ? (inner as CloudStackResponse) : undefined;
  } catch {
    return undefined;
  }
}

const isFailure = (body: CloudStackResponse): boolean => typeof body['errorcode'] === 'number' && 'errortext' in body;

const failureOf = (body: CloudStackResponse): { errorcode: number; errortext: string } => ({
  errorcode: Number(body['errorcode'] ?? 530),
  errortext: typeof body['errortext'] === 'string' ? body['errortext'] : 'no error text',
});

/** Of CloudStack's class name. */
const shortName = (cmd: unknown): string => (typeof cmd === 'string' ? cmd.replace(/^.*\./, '') : 'job');
