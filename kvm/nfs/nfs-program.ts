import { LIBNFS_PROGRAM } from './libnfs-program.js';

/**
 * The program of the process that reads from an NFS server, with libnfs. It is text because Node runs it as it is: the
 * same source has to work from dist/, from tsx and from jest.
 *
 * It is a process of its own since libnfs, which is written in C, parses what a stranger's server sends. It works off
 * its standard input a line at a time, one request after the other, and answers on its standard output:
 *
 * - `Opening`, the first line: nothing, but for the next line
 * - `{"do":"stat"}`: a line, `{"stat":…}` or `{"trouble":…}`
 * - `{"do":"read","from":…,"end":…}`: these bytes of the file and nothing else; if that cannot be, it says why on its
 *   standard error and ends
 *
 * All calls block, so that a reader who does not take the bytes stops the reading, too.
 */
export const NFS_PROGRAM = `${LIBNFS_PROGRAM}
function openExport({ server, version, nfsPort, mountPort, deadlineMs }, directory, path) {
  const nfs = library.init();
  const context = { nfs, deadlineMs, during: 'mount' };
  try {
    const options = ['version=' + version, 'auto-traverse-mounts=0', 'readahead=0'];
    if (nfsPort) options.push('nfsport=' + nfsPort);
    if (mountPort) options.push('mountport=' + mountPort);
    if (!library.options(nfs, 'nfs://server/?' + options.join('&'))) {
      throw new Trouble('refused', { during: 'mount', errno: 0, text: String(library.error(nfs)) });
    }
    library.uid(nfs, NOBODY);
    library.gid(nfs, NOBODY);
    // Its own names are made of process id and second, which confined processes share: the server would take them for one
    // client that started anew, and forget what the first has open.
    library.clientName(nfs, 'slipway-' + crypto.randomUUID());
    library.verifier(nfs, crypto.randomBytes(8));
    // What a lost connection means is for the download to judge.
    library.reconnect(nfs, 0);
    ask(context, 'mount', (callback, id) => library.mount(nfs, server, directory, callback, id), () => undefined);
    const file = ask(context, 'open', (callback, id) => library.open(nfs, path, fs.constants.O_RDONLY, callback, id), (data) => data);
    context.deadlineMs = undefined;
    return { context, file };
  } catch (error) {
    waiting.clear();
    library.destroy(nfs);
    throw error;
  }
}

/** Of version 3 the client has to know what is exported: the directory of the file, else one above it. */
function openPath(attempt, path) {
  if (attempt.version === 4) return openExport(attempt, '/', path);
  let failure;
  for (let end = path.lastIndexOf('/'); end >= 0; end = end === 0 ? -1 : path.lastIndexOf('/', end - 1)) {
    try {
      return openExport(attempt, path.slice(0, end) || '/', path.slice(end));
    } catch (error) {
      const { kind, during, text } = error.details ?? {};
      failure ??= error;
      if (kind !== 'refused' || during !== 'mount' || !/MNT3ERR_(NOENT|ACCES|PERM|NOTDIR|INVAL)/.test(text)) throw error;
    }
  }
  throw failure;
}

/** How far a failed attempt came; the one that came farthest tells most about the file. */
const farness = ({ kind, during }) => (kind !== 'refused' ? 0 : during === 'mount' ? 1 : 2);

function openFirst({ servers, versions, nfsPort, mountPort, path, timeoutMs }) {
  const endMs = performance.now() + timeoutMs;
  const attempts = versions.flatMap((version) => servers.map((server) => ({ version, server })));
  let best;
  attempts.some((attempt, index) => {
    // A firewall that swallows the one must leave time for the next.
    const deadlineMs = performance.now() + Math.max(0, endMs - performance.now()) / (attempts.length - index);
    try {
      best = { opened: openPath({ ...attempt, nfsPort, mountPort, deadlineMs }, path) };
    } catch (error) {
      if (!error.details) throw error;
      if (!best || farness(error.details) > farness(best.failure.details)) best = { failure: error };
    }
    return best.opened;
  });
  if (best.opened) return best.opened;
  throw best.failure;
}

function writeFully(bytes) {
  for (let offset = 0; offset < bytes.length; ) offset += fs.writeSync(1, bytes, offset);
}

/** Answers come in any order; they are written in that of the file. */
function send({ context, file }, before, from, end) {
  let askedTo = from, sentTo = from, readBytes = MAX_READ_BYTES;
  const early = new Map();
  let last;
  const write = (bytes) => {
    sentTo += bytes.length;
    // Not before it is known that the file has not changed meanwhile.
    if (sentTo === end) last = Buffer.from(bytes);
    else writeFully(bytes);
  };
  let underWay = 0;
  const request = (offset, count) => {
    underWay += 1;
    library.read(context, file, offset, count, (got, bytes) => {
      underWay -= 1;
      if (got < 0) throw new Trouble('refused', { during: 'read', errno: -got, text: String(library.error(context.nfs)) });
      if (got === 0) throw new Trouble('changed', {});
      if (got < count) {
        // As much as the server gives at a time.
        readBytes = Math.max(4096, Math.min(readBytes, got));
        request(offset + got, count - got);
      }
      if (offset === sentTo) write(bytes);
      else early.set(offset, Buffer.from(bytes));
      for (let next; (next = early.get(sentTo)); ) {
        early.delete(sentTo);
        write(next);
      }
    });
  };
  context.during = 'read';
  while (sentTo < end) {
    while (underWay + early.size < WINDOW && askedTo < end) {
      const count = Math.min(readBytes, end - askedTo);
      request(askedTo, count);
      askedTo += count;
    }
    turn(context);
  }
  const after = statOf(context, file);
  if (['id', 'size', 'mtime', 'mtimeNs'].some((name) => after[name] !== before[name])) throw new Trouble('changed', {});
  if (last) writeFully(last);
}

function* lines() {
  const chunk = Buffer.alloc(65536);
  let rest = '';
  for (;;) {
    const end = rest.indexOf('\\n');
    if (end >= 0) {
      yield JSON.parse(rest.slice(0, end));
      rest = rest.slice(end + 1);
      continue;
    }
    const count = fs.readSync(0, chunk);
    if (count === 0) return;
    rest += chunk.toString('utf8', 0, count);
  }
}

function detailsOf(error) {
  return error.details ?? { kind: 'defect', text: String(error && error.stack) };
}

let opening, opened, stat;
try {
  for (const request of lines()) {
    if (!opening) opening = request;
    else if (request.do === 'stat') {
      let answer;
      try {
        if (!library) {
          library = loadLibrary(opening.libraries);
          callback = koffi.register(onAnswer, 'NfsCallback *');
        }
        opened ??= openFirst(opening);
        stat = statOf(opened.context, opened.file);
        answer = { stat };
      } catch (error) {
        answer = { trouble: detailsOf(error) };
      }
      fs.writeSync(1, JSON.stringify(answer) + '\\n');
    } else send(opened, stat, request.from, request.end);
  }
} catch (error) {
  fs.writeSync(2, JSON.stringify(detailsOf(error)) + '\\n');
  process.exitCode = 1;
}
`;
