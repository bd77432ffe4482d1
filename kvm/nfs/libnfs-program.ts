/**
 * First half of `NFS_PROGRAM`: libnfs, and how one waits for it. Its asynchronous calls are used, since they keep several
 * reads under way on one connection; nothing else goes on in the process, so that waiting is a `poll`.
 */
export const LIBNFS_PROGRAM = `
const fs = require('node:fs');
const crypto = require('node:crypto');
const koffi = require(process.argv[1]);

const POLLIN = 1, POLLERR = 8;
const MAX_READ_BYTES = 1 << 20;
/** Reads under way: 8 MiB fill a line of 1 Gbit/s and 60 ms. */
const WINDOW = 8;
const NOBODY = 65534;
/** Fields of struct nfs_stat_64. */
const STAT = { id: 1, mode: 2, size: 7, mtime: 11, ctime: 12, mtimeNs: 14, ctimeNs: 15, fields: 17 };

class Trouble extends Error {
  constructor(kind, details) {
    super(kind);
    this.details = { kind, ...details };
  }
}

koffi.proto('void NfsCallback(int error, void *nfs, void *data, void *id)');

function loadLibrary(names) {
  let failure;
  for (const name of names) {
    try {
      return bind(koffi.load(name), Number(name.split('.').pop()));
    } catch (error) {
      failure ??= error;
    }
  }
  throw new Trouble('library', { text: String(failure && failure.message) });
}

function bind(library, release) {
  // Since release 16 the caller brings the memory.
  const takesMemory = release >= 16;
  const pread = library.func(
    takesMemory
      ? 'int nfs_pread_async(void *, void *, void *, size_t, uint64_t, NfsCallback *, void *)'
      : 'int nfs_pread_async(void *, void *, uint64_t, uint64_t, NfsCallback *, void *)',
  );
  return {
    init: library.func('void *nfs_init_context()'),
    destroy: library.func('void nfs_destroy_context(void *)'),
    options: library.func('void *nfs_parse_url_dir(void *, const char *)'),
    uid: library.func('void nfs_set_uid(void *, int)'),
    gid: library.func('void nfs_set_gid(void *, int)'),
    clientName: library.func('void nfs4_set_client_name(void *, const char *)'),
    verifier: library.func('void nfs4_set_verifier(void *, void *)'),
    reconnect: library.func('void nfs_set_autoreconnect(void *, int)'),
    error: library.func('const char *nfs_get_error(void *)'),
    descriptor: library.func('int nfs_get_fd(void *)'),
    events: library.func('int nfs_which_events(void *)'),
    service: library.func('int nfs_service(void *, int)'),
    mount: library.func('int nfs_mount_async(void *, const char *, const char *, NfsCallback *, void *)'),
    open: library.func('int nfs_open_async(void *, const char *, int, NfsCallback *, void *)'),
    stat: library.func('int nfs_fstat64_async(void *, void *, NfsCallback *, void *)'),
    /** Calls back with the bytes, which are good until it returns. */
    read(context, file, offset, count, done) {
      const memory = takesMemory ? Buffer.allocUnsafeSlow(count) : undefined;
      return call(context, 'read', (callback, id) =>
        memory
          ? pread(context.nfs, file, memory, count, offset, callback, id)
          : pread(context.nfs, file, offset, count, callback, id),
      (error, data) => {
        if (error <= 0) return done(error, undefined);
        if (error > count) throw new Trouble('refused', { during: 'read', errno: 0, text: 'more bytes than asked for' });
        done(error, memory ? memory.subarray(0, error) : new Uint8Array(koffi.view(data, error)));
      });
    },
  };
}

const poll = koffi.load('libc.so.6').func('int poll(void *, unsigned long, int)');
let library;
const waiting = new Map();
let lastId = 0n;
/** What a callback threw: an exception does not pass through C. */
let thrown;

let callback;
function onAnswer(error, nfs, data, id) {
  const done = waiting.get(id);
  waiting.delete(id);
  try {
    if (done) done(error, data);
  } catch (failure) {
    thrown ??= failure;
  }
}

function call(context, during, start, done) {
  const id = ++lastId;
  waiting.set(id, done);
  if (start(callback, id) >= 0) return;
  waiting.delete(id);
  throw new Trouble('refused', { during, errno: 0, text: String(library.error(context.nfs)) });
}

/** Waits for the next bytes, and lets libnfs take them. */
function turn(context) {
  const slot = Buffer.alloc(8);
  slot.writeInt32LE(library.descriptor(context.nfs), 0);
  slot.writeInt16LE(library.events(context.nfs), 4);
  const leftMs = context.deadlineMs === undefined ? 1000 : context.deadlineMs - performance.now();
  if (leftMs <= 0) throw new Trouble('timeout', {});
  const count = poll(slot, 1, Math.min(1000, leftMs));
  let events = count > 0 ? slot.readInt16LE(6) : 0;
  // libnfs speaks of the last event only: an error says more than the hang-up that comes with it, and bytes come first.
  if (events & POLLIN) events &= ~(POLLERR | 16);
  if (events & POLLERR) events = POLLERR;
  const status = library.service(context.nfs, events);
  // Before what callbacks threw: of a lost connection each of them hears but that its call failed.
  if (status < 0) throw new Trouble('lost', { during: context.during, text: String(library.error(context.nfs)) });
  if (thrown) throw thrown;
}

/** Starts a call and waits for its answer. */
function ask(context, during, start, decode) {
  let answer;
  context.during = during;
  call(context, during, start, (error, data) => {
    answer = error < 0
      ? { trouble: new Trouble('refused', { during, errno: -error, text: String(library.error(context.nfs)) }) }
      : { value: decode(data) };
  });
  while (!answer) turn(context);
  if (answer.trouble) throw answer.trouble;
  return answer.value;
}

const statOf = (context, file) =>
  ask(context, 'stat', (callback, id) => library.stat(context.nfs, file, callback, id), (data) => {
    const fields = koffi.decode(data, 'uint64_t', STAT.fields);
    const stat = {};
    for (const name of ['id', 'mode', 'size', 'mtime', 'ctime', 'mtimeNs', 'ctimeNs']) stat[name] = String(fields[STAT[name]]);
    return stat;
  });
`;
