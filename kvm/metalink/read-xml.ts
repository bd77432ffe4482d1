import { SaxesParser, type SaxesTagNS } from 'saxes';
import { printable } from './printable.js';
import { refusal } from './refusal.js';

/** `uri` is that of the namespace, and empty when there is none; `local` is the name without its prefix. */
export type OpenedElement = Pick<SaxesTagNS, 'uri' | 'local' | 'attributes'>;

export interface XmlReader {
  open(element: OpenedElement): void;
  /** Character data of the element opened last and not closed, in one or more calls. */
  text(text: string): void;
  close(): void;
}

const CHUNK_BYTES = 64 * 1024;
const MAX_DEPTH = 32;
/** Of one element. Real ones have a handful, namespaces included. */
const MAX_ATTRIBUTES = 64;
/**
 * How much work characters are for the parser: it stops at each of these, where it only steps over others. 16 MiB of
 * them would take seconds; the longest list of pieces, indented with tabs, has less than half of what is let through.
 */
const WORK = Object.entries({ '<': 5, '&': 1, ']': 1, '-': 1, '?': 1, '\r': 1, '\n': 1, '\t': 1 });
const MAX_WORK = 5_000_000;
/**
 * Of a text, value, name, comment or the like. The parser puts some of them together from single characters, sixteen
 * million of which would take 700 MiB.
 */
const MAX_TOKEN_BYTES = 4 * CHUNK_BYTES;

/** Supersets of ASCII: whoever declares one of them meant what UTF-8 reads, or the bytes are no UTF-8. */
const ENCODINGS = /^(utf-?8|us-ascii|iso-8859-\d{1,2}|windows-125\d)$/i;

function checkWork(bytes: Buffer): void {
  const workOf = new Uint8Array(256);
  for (const [character, work] of WORK) workOf[character.charCodeAt(0)] = work;
  let work = 0;
  for (let at = 0; at < bytes.length; at++) work += workOf[bytes[at] ?? 0] ?? 0;
  if (work > MAX_WORK) throw refusal('SLIPWAY_METALINK_TOO_LARGE', 'it has too much markup');
}

/** A captive portal's page, or that of a server without the document: no metalink, and not worth a parser's words. */
const isWebPage = (bytes: Buffer): boolean =>
  /^[\s\ufeff]*<(!doctype\s+html|html)[\s>]/i.test(bytes.subarray(0, 1024).toString('utf8'));

interface Parser {
  /** Whether anything came to its end in this chunk. */
  write(chunk: string): boolean;
  end(): void;
}

/** A parser that throws what it finds wrong, and everything that it should not be asked for. */
function createParser(reader: XmlReader): Parser {
  const parser = new SaxesParser({ xmlns: true });
  let depth = 0;
  let attributes = 0;
  let hasEnded = false;
  const ended = (): void => {
    hasEnded = true;
  };
  const text = (characters: string): void => {
    ended();
    reader.text(characters);
  };
  parser.on('error', ({ message }) => {
    throw refusal('SLIPWAY_METALINK_INVALID', `it is not well-formed: ${printable(message)}`);
  });
  parser.on('doctype', () => {
    throw refusal('SLIPWAY_METALINK_DTD', 'it has a document type, which could declare entities');
  });
  parser.on('xmldecl', ({ encoding = 'UTF-8' }) => {
    if (ENCODINGS.test(encoding)) return;
    throw refusal('SLIPWAY_METALINK_INVALID', `it is in the encoding "${printable(encoding)}" and not in UTF-8`);
  });
  parser.on('opentagstart', () => {
    ended();
    attributes = 0;
    depth++;
    if (depth <= MAX_DEPTH) return;
    throw refusal('SLIPWAY_METALINK_TOO_LARGE', `its elements are nested more than ${MAX_DEPTH} deep`);
  });
  parser.on('attribute', () => {
    ended();
    attributes++;
    if (attributes <= MAX_ATTRIBUTES) return;
    throw refusal('SLIPWAY_METALINK_TOO_LARGE', `one of its elements has more than ${MAX_ATTRIBUTES} attributes`);
  });
  parser.on('opentag', (tag) => reader.open(tag));
  parser.on('text', text);
  parser.on('cdata', text);
  parser.on('comment', ended);
  parser.on('processinginstruction', ended);
  parser.on('closetag', () => {
    ended();
    depth--;
    reader.close();
  });
  return {
    write(chunk) {
      hasEnded = false;
      parser.write(chunk);
      return hasEnded;
    },
    end: () => void parser.close(),
  };
}

/**
 * Reads a document from a stranger, element by element: a tree of one that is nothing but small elements would need
 * thirty times its bytes. Neither a document type nor any entity but XML's own five is let through. The caller bounds
 * the bytes.
 *
 * @throws SlipwayError SLIPWAY_METALINK_INVALID, SLIPWAY_METALINK_DTD, SLIPWAY_METALINK_TOO_LARGE
 */
export function readXml(bytes: Buffer, reader: XmlReader): void {
  if (isWebPage(bytes)) throw refusal('SLIPWAY_METALINK_INVALID', 'it is a web page');
  checkWork(bytes);
  const parser = createParser(reader);
  // Drops a byte order mark, too.
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (chunk: Buffer, stream: boolean): string => {
    try {
      return decoder.decode(chunk, { stream });
    } catch {
      throw refusal('SLIPWAY_METALINK_INVALID', 'it is not UTF-8');
    }
  };
  let lastEnd = 0;
  for (let from = 0; from < bytes.length; from += CHUNK_BYTES) {
    const end = from + CHUNK_BYTES;
    if (parser.write(decode(bytes.subarray(from, end), end < bytes.length))) lastEnd = from;
    else if (end - lastEnd > MAX_TOKEN_BYTES + CHUNK_BYTES) {
      throw refusal(
        'SLIPWAY_METALINK_TOO_LARGE',
        `it has a text, value or comment of more than ${MAX_TOKEN_BYTES} bytes`,
      );
    }
  }
  parser.end();
}
