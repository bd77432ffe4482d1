import { displayUrl } from '../../shared/display-url.js';
import { SlipwayError, type ErrorCode } from '../../shared/errors.js';

/** What the reading process says when it cannot do what it was asked for. */
export type NfsTrouble =
  /** libnfs could not be loaded. */
  | { kind: 'library'; text: string }
  /** Neither connected nor open in time. */
  | { kind: 'timeout' }
  /** The connection. `text` is libnfs's. */
  | { kind: 'lost'; during: NfsStep; text: string }
  /** The server answered, and said no. `errno` is 0 when nothing but the text says why. */
  | { kind: 'refused'; during: NfsStep; errno: number; text: string }
  /** The file was written to while it was read. */
  | { kind: 'changed' }
  | { kind: 'defect'; text: string };

export type NfsStep = 'mount' | 'open' | 'stat' | 'read';

/** Numbers of Linux; libnfs turns NFS's own into them. */
const REASONS: Readonly<Record<number, string>> = {
  1: 'the server does not allow it',
  2: 'the server has no such file or export',
  5: 'the server cannot read its disk',
  13: 'the server denies access; files are read as nobody (65534)',
  20: 'a part of the path is not a directory',
  21: 'it is a directory',
  22: 'it is not a regular file, or the server does not take the request',
  36: 'a name in the path is too long',
  40: 'the path leads through too many symbolic links',
  116: 'the file was removed on the server',
};

/** The server asks for patience: it starts anew, or gets the file from somewhere. */
const BUSY = /NFS[34]ERR_(JUKEBOX|DELAY|GRACE)/;
/** Names that protocol and libnfs have for what happened. Nothing else of libnfs's texts is shown: paths are in them. */
const STATUS = /\b(?:NFS3ERR|NFS4ERR|MNT3ERR)_[A-Z0-9_]+/;
/** EINTR and EFAULT: what libnfs says of a call that got no answer, or one that it cannot read. */
const UNANSWERED = new Set([4, 14]);
const SOCKET_ERROR = /socket error .*\((\d+)\)/;
const REFUSED_CONNECTION = '111';

export function nfsFailure(url: URL, trouble: NfsTrouble): SlipwayError {
  const { code, reason } = classify(trouble);
  return new SlipwayError(code, `${displayUrl(url)}: ${reason}`);
}

function classify(trouble: NfsTrouble): { code: ErrorCode; reason: string } {
  switch (trouble.kind) {
    case 'library':
      return { code: 'SLIPWAY_SOURCE_NFS', reason: 'this host cannot read NFS: install the package libnfs13' };
    case 'timeout':
      return { code: 'SLIPWAY_SOURCE_TIMEOUT', reason: 'the NFS server did not open the file in time' };
    case 'changed':
      return { code: 'SLIPWAY_SOURCE_CHANGED', reason: 'the file changed on the NFS server while it was read' };
    case 'lost':
      return trouble.during === 'mount' ? unconnected(trouble.text) : broken;
    case 'refused':
      return refused(trouble);
    case 'defect':
      return { code: 'SLIPWAY_SOURCE_INTERRUPTED', reason: 'the process that reads from NFS failed' };
  }
}

const broken = { code: 'SLIPWAY_SOURCE_INTERRUPTED', reason: 'the connection to the NFS server broke off' } as const;

function unconnected(text: string): { code: ErrorCode; reason: string } {
  const number = SOCKET_ERROR.exec(text)?.[1];
  const reason =
    number === undefined
      ? 'what answers there is no NFS server'
      : number === REFUSED_CONNECTION
        ? 'the NFS server, or its port mapper, refused the connection'
        : `no connection to the NFS server (error ${number})`;
  return { code: 'SLIPWAY_SOURCE_CONNECT', reason };
}

function refused({ during, errno, text }: Extract<NfsTrouble, { kind: 'refused' }>): {
  code: ErrorCode;
  reason: string;
} {
  const status = STATUS.exec(text)?.[0];
  const suffix = status === undefined ? '' : ` (${status})`;
  if (status === undefined && during !== 'mount' && UNANSWERED.has(errno)) return broken;
  if (BUSY.test(text)) return { code: 'SLIPWAY_SOURCE_INTERRUPTED', reason: `the NFS server is busy${suffix}` };
  const reason = REASONS[errno];
  if (reason !== undefined) return { code: 'SLIPWAY_SOURCE_NFS', reason: `${reason}${suffix}` };
  const what = during === 'mount' ? 'does not take the call: another NFS version, or only from a low port' : 'failed';
  return { code: 'SLIPWAY_SOURCE_NFS', reason: `the NFS server ${what}${suffix}` };
}
