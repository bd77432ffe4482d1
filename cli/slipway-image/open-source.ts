import { readFile } from 'node:fs/promises';
import type { SourceContext } from '../../kvm/download/download.js';
import type { RegisteredSource } from '../../kvm/download/source-client.js';
import { readChain } from '../../kvm/keystore/certificate-chain.js';
import { createTrust, type TrustedCertificate } from '../../kvm/keystore/trust.js';
import { createAddressPolicy } from '../../kvm/url-policy/address-policy.js';
import { checkHeaders, splitHeader } from '../../shared/http-headers.js';
import { isSlipwayError } from '../../shared/errors.js';
import { type DownloadSettings, downloadSettings } from '../../shared/download-settings.js';
import { defaultSettings } from '../../shared/settings.js';
import type { SourceOptions } from './arguments.js';
import { applySettings } from './settings-arguments.js';
import { unreadable, usageError } from './usage-error.js';

/** How the library is to reach the sources of one command. */
export interface OpenedSource {
  registered: RegisteredSource;
  settings: DownloadSettings;
  context: SourceContext;
}

const SCHEMES = new Set(['http:', 'https:', 'nfs:']);

/**
 * Reads what the options name.
 *
 * @param urlText a URL, or `@FILE`
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID, SLIPWAY_HEADER_INVALID
 */
export async function openSource(urlText: string, options: SourceOptions, signal: AbortSignal): Promise<OpenedSource> {
  const url = await readWord('URL', urlText);
  if (!URL.canParse(url) || !SCHEMES.has(new URL(url).protocol)) {
    throw usageError('The URL is not an absolute http, https or nfs URL');
  }
  const registered = { url, headers: checkHeaders(await readHeaders(options.headers)) };
  const proxy = options.proxy === undefined ? undefined : proxyOf(await readWord('--proxy', options.proxy));
  const certificates = await Promise.all(options.certificateFiles.map(readCertificates));
  const trust = createTrust(() => certificates, 'a public root or a certificate that --ca names');
  return { registered, settings: settingsOf(options), context: { signal, trust, registered, proxy } };
}

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID */
export function settingsOf(options: SourceOptions): DownloadSettings {
  const settings = downloadSettings(applySettings(defaultSettings(), options.settings));
  const allowedInternalCidrs = [...settings.allowedInternalCidrs, ...options.allow];
  try {
    createAddressPolicy(allowedInternalCidrs);
  } catch (error) {
    throw isSlipwayError(error) ? usageError(`--allow: ${error.message}`) : error;
  }
  return {
    ...settings,
    allowedInternalCidrs,
    followRedirects: settings.followRedirects || options.isFollowingRedirects,
    ownServers: [...settings.ownServers, ...options.ownServers.map((server) => server.toLowerCase())],
    bandwidth: { ...settings.bandwidth, host: options.limitBytesPerSecond ?? settings.bandwidth.host },
  };
}

/** A value that may be a secret: given itself, or as `@FILE`, since all users of a host can read its process list. */
async function readWord(what: string, text: string): Promise<string> {
  return text.startsWith('@') ? (await readNamed(what, text.slice(1))).trim() : text;
}

async function readHeaders(options: readonly string[]): Promise<[name: string, value: string][]> {
  const lines = await Promise.all(
    options.map(async (option) =>
      option.startsWith('@') ? (await readNamed('--header', option.slice(1))).split(/\r?\n/) : [option],
    ),
  );
  return lines
    .flat()
    .filter((line) => line.trim() !== '')
    .map(splitHeader);
}

function proxyOf(text: string): URL {
  if (URL.canParse(text) && new URL(text).protocol === 'http:') return new URL(text);
  throw usageError('--proxy has to be an http URL, as http://proxy.example:3128');
}

async function readCertificates(path: string): Promise<TrustedCertificate> {
  const pem = await readNamed('--ca', path);
  if (isReadable(pem)) return { name: path, pem };
  throw usageError(`--ca ${path} holds no certificate in PEM form, or one that cannot be read`);
}

function isReadable(pem: string): boolean {
  try {
    return readChain(pem).length > 0;
  } catch {
    return false;
  }
}

async function readNamed(what: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw unreadable(what, path, error);
  }
}
