/** A link of a `Link` header. Names of parameters are in lower case; of a repeated one the first counts. */
export interface WebLink {
  target: string;
  parameters: ReadonlyMap<string, string>;
}

const isBlank = (character: string | undefined): boolean => character === ' ' || character === '\t';

/** Reads one header value from left to right. Whatever is not understood is stepped over, and always by something. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get next(): string | undefined {
    return this.#text[this.#at];
  }

  /** Steps over `character`, if it is the next one. */
  takes(character: string): boolean {
    if (this.next !== character) return false;
    this.#at++;
    return true;
  }

  skipBlanks(): void {
    while (isBlank(this.next)) this.#at++;
  }

  /** Up to one of `ends`, or to the end of the text. */
  until(ends: string): string {
    const start = this.#at;
    while (this.next !== undefined && !ends.includes(this.next)) this.#at++;
    return this.#text.slice(start, this.#at);
  }

  /** The rest of a quoted string (RFC 9110, 5.6.4), whose first quote was taken. */
  quoted(): string {
    let value = '';
    while (this.next !== undefined && !this.takes('"')) {
      this.takes('\\');
      value += this.next ?? '';
      this.#at++;
    }
    return value;
  }
}

function readParameters(scanner: Scanner): Map<string, string> {
  const parameters = new Map<string, string>();
  for (;;) {
    scanner.skipBlanks();
    // Real servers send runs of them.
    if (scanner.takes(';')) continue;
    if (scanner.next === undefined || scanner.next === ',') return parameters;
    const name = scanner.until('=;,').trim().toLowerCase();
    let value = '';
    if (scanner.takes('=')) {
      scanner.skipBlanks();
      value = scanner.takes('"') ? scanner.quoted() : scanner.until(';,').trim();
      // What follows a quoted value belongs to nothing.
      scanner.until(';,');
    }
    if (name !== '' && !parameters.has(name)) parameters.set(name, value);
  }
}

/**
 * The links of one `Link` header value (RFC 8288, 3), as lenient as its appendix B.2: what is no link is stepped over.
 * The caller bounds the length.
 */
export function parseLinks(value: string): WebLink[] {
  const scanner = new Scanner(value);
  const links: WebLink[] = [];
  while (scanner.next !== undefined) {
    scanner.skipBlanks();
    if (scanner.takes(',')) continue;
    if (!scanner.takes('<')) {
      scanner.until(',');
      continue;
    }
    const target = scanner.until('>');
    if (!scanner.takes('>')) break;
    links.push({ target, parameters: readParameters(scanner) });
  }
  return links;
}
