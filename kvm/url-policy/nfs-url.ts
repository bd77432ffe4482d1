import { displayUrl } from '../../shared/display-url.js';
import { SlipwayError } from '../../shared/errors.js';

export type NfsVersion = 3 | 4;

/** Where a file is on an NFS server. */
export interface NfsLocation {
  /** Name or address, without brackets, as text that a resolver takes. */
  host: string;
  /** Path on the server, export included, decoded. */
  path: string;
  /** As the URL asks for; else whatever the server speaks. */
  version: NfsVersion | undefined;
  /** Of the NFS service; 2049, or what the port mapper says, by default. */
  nfsPort: number | undefined;
  /** Of the MOUNT service of version 3; what the port mapper says by default. */
  mountPort: number | undefined;
}

/** What Linux takes for a path. */
const MAX_PATH_BYTES = 4096;
const OPTIONS: ReadonlySet<string> = new Set(['version', 'nfsport', 'mountport']);

/**
 * Reads `nfs://host[:port]/export/path/file[?version=3|4&nfsport=N&mountport=N]` (RFC 2224, with the options that
 * libnfs knows). Nothing else is taken: what libnfs makes of further options (user ids, debugging, interfaces) is not
 * for strangers to say.
 *
 * @throws SlipwayError SLIPWAY_URL_INVALID
 */
export function nfsLocation(url: URL): NfsLocation {
  const invalid = (why: string): SlipwayError => new SlipwayError('SLIPWAY_URL_INVALID', `${displayUrl(url)} ${why}`);
  if (url.username !== '' || url.password !== '') throw invalid('has user info, which NFS does not know');
  const options = readOptions(url.searchParams, invalid);
  const port = readPort(url.port === '' ? undefined : url.port, invalid);
  const nfsPort = readPort(options.get('nfsport'), invalid);
  if (port !== undefined && nfsPort !== undefined && port !== nfsPort) throw invalid('names two ports of one service');
  return {
    host: canonicalHost(url, invalid),
    path: decodePath(url.pathname, invalid),
    version: readVersion(options.get('version'), invalid),
    nfsPort: nfsPort ?? port,
    mountPort: readPort(options.get('mountport'), invalid),
  };
}

type Invalid = (why: string) => SlipwayError;

function readOptions(query: URLSearchParams, invalid: Invalid): Map<string, string> {
  const options = new Map<string, string>();
  for (const [name, value] of query) {
    // Neither name nor value is quoted: a query may hold a secret that was meant for another scheme.
    if (!OPTIONS.has(name)) throw invalid('has an option other than version, nfsport and mountport');
    if (options.has(name)) throw invalid(`has the option ${name} twice`);
    options.set(name, value);
  }
  return options;
}

function readPort(text: string | undefined, invalid: Invalid): number | undefined {
  if (text === undefined) return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw invalid('has a port that is not a number from 1 to 65535');
  return port;
}

function readVersion(text: string | undefined, invalid: Invalid): NfsVersion | undefined {
  if (text === undefined) return undefined;
  if (text !== '3' && text !== '4') throw invalid('asks for an NFS version other than 3 and 4');
  return text === '3' ? 3 : 4;
}

/**
 * The host of a scheme that the URL standard does not know is any text. Read as the host of an http URL it gets the one
 * form that the address policy can judge: 0x7f.1, %6cocalhost and full-width digits lead to loopback, too.
 */
function canonicalHost(url: URL, invalid: Invalid): string {
  const text = `http://${url.hostname}/`;
  if (url.hostname === '' || !URL.canParse(text)) throw invalid('has no host that could be looked up');
  return new URL(text).hostname.replace(/^\[(.*)\]$/, '$1');
}

function decodePath(pathname: string, invalid: Invalid): string {
  let path: string;
  try {
    path = pathname
      .split('/')
      .map((name) => {
        const decoded = decodeURIComponent(name);
        if (decoded.includes('/')) throw invalid('has an encoded slash in a name');
        return decoded;
      })
      .join('/')
      .replaceAll(/\/{2,}/g, '/');
  } catch (error) {
    if (error instanceof SlipwayError) throw error;
    throw invalid('has a path that is not percent-encoded UTF-8');
  }
  if (/\p{Cc}/u.test(path)) throw invalid('has a control character in its path');
  if (path === '' || path.endsWith('/')) throw invalid('names no file');
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw invalid(`has a path of more than ${MAX_PATH_BYTES} bytes`);
  return path;
}
