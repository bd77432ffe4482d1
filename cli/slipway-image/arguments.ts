import { parseArgs, type ParseArgsConfig } from 'node:util';
import { type Digest, parseChecksum } from '../../shared/checksum.js';
import { IMAGE_FORMATS, type ImageFormat } from '../../shared/images.js';
import { checkFileName } from './file-names.js';
import { parseRate } from './quantities.js';
import { usageError } from './usage-error.js';

/** How sources are reached. URLs, headers and the proxy may be `@FILE`: they are not read here. */
export interface SourceOptions {
  headers: string[];
  /** CIDRs. */
  allow: string[];
  certificateFiles: string[];
  proxy?: string | undefined;
  isFollowingRedirects: boolean;
  ownServers: string[];
  /** `NAME=VALUE` */
  settings: string[];
  limitBytesPerSecond?: number | undefined;
}

interface Common {
  format?: ImageFormat | undefined;
  isJson: boolean;
}

export interface FetchCommand extends Common {
  command: 'fetch';
  url: string;
  pool: string;
  name?: string | undefined;
  checksum?: Digest | undefined;
  isReplacing: boolean;
  source: SourceOptions;
}

export interface ProbeCommand extends Common {
  command: 'probe';
  url: string;
  source: SourceOptions;
}

export interface MetalinkCommand extends Common {
  command: 'metalink';
  /** A file, a URL, or `@FILE` with a URL in it. */
  document: string;
  source: SourceOptions;
}

export interface InspectCommand extends Common {
  command: 'inspect';
  file: string;
}

export type Command = FetchCommand | ProbeCommand | MetalinkCommand | InspectCommand | { command: 'help' };

const COMMON = {
  format: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;
const SOURCE = {
  ...COMMON,
  header: { type: 'string', multiple: true },
  allow: { type: 'string', multiple: true },
  'allow-loopback': { type: 'boolean' },
  ca: { type: 'string', multiple: true },
  proxy: { type: 'string' },
  'follow-redirects': { type: 'boolean' },
  setting: { type: 'string', multiple: true },
} as const;
const FETCH = {
  ...SOURCE,
  pool: { type: 'string' },
  name: { type: 'string' },
  checksum: { type: 'string' },
  force: { type: 'boolean' },
  'own-server': { type: 'string', multiple: true },
  'limit-rate': { type: 'string' },
} as const;

const LOOPBACK_CIDRS = ['127.0.0.0/8', '::1/128'];

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID */
export function parseArguments(args: readonly string[]): Command {
  const [command, ...rest] = args;
  if (command === undefined) throw usageError('A command is missing: fetch, inspect, metalink or probe');
  if (command === 'help' || command === '--help' || command === '-h') return { command: 'help' };
  if (command === 'fetch') return fetchCommand(rest);
  if (command === 'probe' || command === 'metalink') return sourceCommand(command, rest);
  if (command === 'inspect') return inspectCommand(rest);
  // Whoever forgets the command begins with a URL, which may hold secrets.
  const what = /^[a-z-]+$/i.test(command) ? `There is no command ${command}` : 'The first word is no command';
  throw usageError(`${what}: it has to be fetch, inspect, metalink or probe`);
}

function fetchCommand(args: readonly string[]): Command {
  const { values, positionals } = parse(args, FETCH);
  if (values.help) return { command: 'help' };
  if (values.pool === undefined) throw usageError('--pool is missing: the directory to put the image into');
  return {
    command: 'fetch',
    url: only(positionals, 'URL'),
    pool: values.pool,
    name: values.name === undefined ? undefined : checkFileName(values.name),
    checksum: values.checksum === undefined ? undefined : digestOf(values.checksum),
    isReplacing: values.force === true,
    source: {
      ...sourceOptions(values),
      ownServers: values['own-server'] ?? [],
      limitBytesPerSecond: values['limit-rate'] === undefined ? undefined : parseRate(values['limit-rate']),
    },
    ...common(values),
  };
}

function sourceCommand(command: 'probe' | 'metalink', args: readonly string[]): Command {
  const { values, positionals } = parse(args, SOURCE);
  if (values.help) return { command: 'help' };
  const source = { ...sourceOptions(values), ownServers: [] };
  if (command === 'probe') return { command, url: only(positionals, 'URL'), source, ...common(values) };
  return { command, document: only(positionals, 'file or URL'), source, ...common(values) };
}

function inspectCommand(args: readonly string[]): Command {
  const { values, positionals } = parse(args, COMMON);
  if (values.help) return { command: 'help' };
  return { command: 'inspect', file: only(positionals, 'file'), ...common(values) };
}

function parse<T extends NonNullable<ParseArgsConfig['options']>>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    // The rest is advice about "--".
    throw usageError((error as Error).message.split('. ')[0]!, error);
  }
}

function only(positionals: readonly string[], what: string): string {
  const [first, ...others] = positionals;
  if (first === undefined) throw usageError(`The ${what} is missing`);
  if (others.length > 0) throw usageError(`There is more than one ${what}`);
  return first;
}

interface SourceValues {
  header?: string[];
  allow?: string[];
  'allow-loopback'?: boolean;
  ca?: string[];
  proxy?: string;
  'follow-redirects'?: boolean;
  setting?: string[];
}

const sourceOptions = (values: SourceValues): Omit<SourceOptions, 'ownServers'> => ({
  headers: values.header ?? [],
  allow: [...(values.allow ?? []), ...(values['allow-loopback'] ? LOOPBACK_CIDRS : [])],
  certificateFiles: values.ca ?? [],
  proxy: values.proxy,
  isFollowingRedirects: values['follow-redirects'] === true,
  settings: values.setting ?? [],
});

function common({ format, json }: { format?: string; json?: boolean }): Common {
  const known = IMAGE_FORMATS.find((name) => name === format?.toUpperCase());
  if (format !== undefined && !known) throw usageError(`--format has to be qcow2, raw or iso, not ${format}`);
  return { format: known, isJson: json === true };
}

function digestOf(text: string): Digest {
  const parsed = parseChecksum(text);
  if ('problem' in parsed) throw usageError(`--checksum: ${parsed.problem}`);
  return parsed.digest;
}
