import { nfsFile, nfsRange, type NfsStat } from './nfs-file.js';

const url = new URL('nfs://server/export/disk');
const stat = (changes: Partial<NfsStat> = {}): NfsStat => ({
  id: '42',
  mode: String(0o100644),
  size: '1000',
  mtime: '1000000000',
  mtimeNs: '1',
  ctime: '1000000001',
  ctimeNs: '2',
  ...changes,
});

describe('nfsFile', () => {
  it('tells size, version and date of a file', () => {
    expect(nfsFile(url, stat())).toEqual({
      sizeBytes: 1000,
      etag: '"nfs-42-1000-1000000001.2"',
      lastModified: 'Sun, 09 Sep 2001 01:46:40 GMT',
    });
  });

  it.each<Partial<NfsStat>>([{ id: '43' }, { size: '1001' }, { ctime: '1000000002' }, { ctimeNs: '3' }])(
    'takes a file with %j for another version',
    (change) => {
      expect(nfsFile(url, stat(change)).etag).not.toBe(nfsFile(url, stat()).etag);
    },
  );

  it('has no date where the server tells an impossible one', () => {
    expect(nfsFile(url, stat({ mtime: '18446744073709551615' })).lastModified).toBeUndefined();
  });

  it.each([
    ['a directory', 0o040755],
    ['a FIFO', 0o010644],
    ['a device', 0o020666],
    ['a device', 0o060660],
    ['a socket', 0o140755],
    ['not a regular file', 0o644],
  ])('refuses %s', (what, mode) => {
    expect(() => nfsFile(url, stat({ mode: String(mode) }))).toThrow(
      expect.objectContaining({ code: 'SLIPWAY_SOURCE_NFS', message: `nfs://server/export/disk: it is ${what}` }),
    );
  });

  it('refuses a size that no number holds', () => {
    expect(() => nfsFile(url, stat({ size: '18446744073709551615' }))).toThrow(
      expect.objectContaining({ code: 'SLIPWAY_SOURCE_SIZE' }),
    );
  });
});

describe('nfsRange', () => {
  const file = nfsFile(url, stat());
  const { etag, lastModified } = file;

  it.each([
    ['the whole file', { fromByte: 0 }, [0, 1000]],
    ['its end', { fromByte: 999 }, [999, 1000]],
    ['a part', { fromByte: 10, endByte: 20 }, [10, 20]],
    ['no more than there is', { fromByte: 10, endByte: 2000 }, [10, 1000]],
    ['a part of the version asked for', { fromByte: 10, endByte: 20, ifRange: etag }, [10, 20]],
    ['a part of the version of a date', { fromByte: 10, endByte: 20, ifRange: lastModified }, [10, 20]],
    ['the whole of another version', { fromByte: 10, endByte: 20, ifRange: '"other"' }, [0, 1000]],
    ['the whole of a version that is shorter', { fromByte: 5000, ifRange: '"other"' }, [0, 1000]],
  ])('gives %s', (_what, range, [fromByte, endByte]) => {
    expect(nfsRange(url, file, range)).toEqual({ fromByte, endByte });
  });

  it('gives an empty file from its start', () => {
    expect(nfsRange(url, { ...file, sizeBytes: 0 }, { fromByte: 0, endByte: 10 })).toEqual({ fromByte: 0, endByte: 0 });
  });

  it.each([1000, 5000])('refuses to begin at byte %i of 1000', (fromByte) => {
    expect(() => nfsRange(url, file, { fromByte })).toThrow(expect.objectContaining({ code: 'SLIPWAY_SOURCE_SIZE' }));
  });
});
