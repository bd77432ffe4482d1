import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isErrorCode, SlipwayError } from '../../shared/errors.js';
import {
  HOST_JOIN_CHECK_PATH,
  HOST_JOIN_PATH,
  type HostJoinAnswer,
  type HostJoinCheck,
  type HostJoinRequest,
} from '../../shared/host-join.js';
import { usageError } from './usage-error.js';

export interface GatewayClient {
  /** What a token is for. */
  check(token: string): Promise<HostJoinCheck>;
  join(request: HostJoinRequest): Promise<HostJoinAnswer>;
}

export interface GatewayOptions {
  /** `https://slipway.example.org`, with or without `/client/api`. */
  url: string;
  /** Certificates in PEM to trust in place of the public roots. */
  certificates?: string | undefined;
  /** Whether what goes over the network may be read and changed by others: the token, and whom secrets are sealed to. */
  allowsHttp: boolean;
}

const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * What a machine that has no account can ask of a gateway. All methods reject with the gateway's own error, or with
 * SLIPWAY_UNAVAILABLE when it cannot be reached.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID
 */
export function createGatewayClient({ url, certificates, allowsHttp }: GatewayOptions): GatewayClient {
  const base = baseOf(url);
  if (base.protocol === 'http:' && !allowsHttp && !isLoopback(base.hostname)) {
    throw usageError(
      '--gateway has to be an https URL: over http others can read the token and take the place of this host. ' +
        '--allow-http allows it all the same',
    );
  }
  const ask = async <Answer>(path: string, body: unknown): Promise<Answer> => {
    const { status, text } = await post(new URL(path, base), JSON.stringify(body), certificates);
    const answer = objectOf(text);
    if (status === 200 && answer) return answer as Answer;
    const { code, message } = (answer ?? {}) as Record<string, unknown>;
    if (isErrorCode(code) && typeof message === 'string') throw new SlipwayError(code, message);
    throw unavailable(base, `it is no Slipway gateway (HTTP status ${status})`);
  };
  return {
    check: (token) => ask<HostJoinCheck>(HOST_JOIN_CHECK_PATH, { token }),
    join: (request) => ask<HostJoinAnswer>(HOST_JOIN_PATH, request),
  };
}

function baseOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') throw usageError('--gateway has to be an https URL');
  return new URL(url.pathname.replace(/\/client\/api\/?$/, '/'), url);
}

const isLoopback = (hostname: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);

function post(url: URL, body: string, ca: string | undefined): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(unavailable(url, error.message, error));
    const options = {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      timeout: TIMEOUT_MS,
      ca,
    };
    const sent = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) sent.destroy(new Error('its answer is too long'));
        chunks.push(chunk);
      });
      response.on('error', fail);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    sent.on('error', fail);
    sent.end(body);
  });
}

function objectOf(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

const unavailable = ({ origin }: URL, reason: string, cause?: unknown): SlipwayError =>
  new SlipwayError('SLIPWAY_UNAVAILABLE', `The gateway at ${origin} cannot be used: ${reason}`, { cause });
