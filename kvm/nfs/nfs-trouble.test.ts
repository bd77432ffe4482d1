import { nfsFailure, type NfsTrouble } from './nfs-trouble.js';

const url = new URL('nfs://server/export/disk?version=4');

describe('nfsFailure', () => {
  it.each<[string, NfsTrouble, string, string]>([
    [
      'a library that is not there',
      { kind: 'library', text: 'libnfs.so.13: cannot open shared object file' },
      'SLIPWAY_SOURCE_NFS',
      'install the package libnfs13',
    ],
    ['a server that is silent', { kind: 'timeout' }, 'SLIPWAY_SOURCE_TIMEOUT', 'in time'],
    [
      'a refused connection',
      { kind: 'lost', during: 'mount', text: 'rpc_service: socket error Connection refused(111).' },
      'SLIPWAY_SOURCE_CONNECT',
      'refused the connection',
    ],
    [
      'a network that is not there',
      { kind: 'lost', during: 'mount', text: 'rpc_service: socket error No route to host(113).' },
      'SLIPWAY_SOURCE_CONNECT',
      'error 113',
    ],
    [
      'another kind of server',
      { kind: 'lost', during: 'mount', text: 'Incoming PDU exceeds limit of 1052672 bytes.' },
      'SLIPWAY_SOURCE_CONNECT',
      'no NFS server',
    ],
    [
      'a connection that ends',
      { kind: 'lost', during: 'read', text: 'Read from socket failed, errno:104. Closing socket.' },
      'SLIPWAY_SOURCE_INTERRUPTED',
      'broke off',
    ],
    [
      'a read without an answer',
      { kind: 'refused', during: 'read', errno: 14, text: 'null' },
      'SLIPWAY_SOURCE_INTERRUPTED',
      'broke off',
    ],
    [
      'a missing file',
      { kind: 'refused', during: 'open', errno: 2, text: 'NFS: Lookup of /secret failed with NFS3ERR_NOENT(-2)' },
      'SLIPWAY_SOURCE_NFS',
      'no such file or export (NFS3ERR_NOENT)',
    ],
    [
      'a closed export',
      {
        kind: 'refused',
        during: 'mount',
        errno: 13,
        text: 'RPC error: Mount failed with error MNT3ERR_ACCES(13) Permission denied(13)',
      },
      'SLIPWAY_SOURCE_NFS',
      'denies access; files are read as nobody (65534) (MNT3ERR_ACCES)',
    ],
    [
      'a file that was removed',
      { kind: 'refused', during: 'read', errno: 116, text: 'NFS3ERR_STALE' },
      'SLIPWAY_SOURCE_NFS',
      'removed',
    ],
    [
      'a server that begins',
      { kind: 'refused', during: 'open', errno: 11, text: 'failed with NFS4ERR_GRACE(-11)' },
      'SLIPWAY_SOURCE_INTERRUPTED',
      'busy (NFS4ERR_GRACE)',
    ],
    [
      'a server of another version',
      { kind: 'refused', during: 'mount', errno: 14, text: 'null' },
      'SLIPWAY_SOURCE_NFS',
      'another NFS version',
    ],
    ['a changed file', { kind: 'changed' }, 'SLIPWAY_SOURCE_CHANGED', 'changed'],
    ['a process that ended', { kind: 'defect', text: 'secret' }, 'SLIPWAY_SOURCE_INTERRUPTED', 'process'],
  ])('tells of %s', (_what, trouble, code, reason) => {
    expect(nfsFailure(url, trouble)).toMatchObject({ code, message: expect.stringContaining(reason) });
  });

  it('begins with the URL, and shows neither its query nor paths out of libnfs', () => {
    const trouble: NfsTrouble = { kind: 'refused', during: 'open', errno: 2, text: 'Lookup of /secret failed' };
    expect(nfsFailure(url, trouble).message).toBe('nfs://server/export/disk: the server has no such file or export');
  });
});
