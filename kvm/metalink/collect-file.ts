import type { ImageFormat } from '../../shared/images.js';
import { misfitOf } from './file-choice.js';
import { GRAMMAR_3, GRAMMAR_4, grammarOf, roleOf, type Grammar, type LeafRole, type Role } from './grammar.js';
import { createPieceList, type PieceList } from './piece-list.js';
import { printable } from './printable.js';
import { readXml, type OpenedElement, type XmlReader } from './read-xml.js';
import { refusal } from './refusal.js';

const MAX_FILES = 1_000;
/** Of one kind and file. The rest is counted. */
const MAX_ELEMENTS = 1_000;
const MAX_PIECE_LISTS = 16;
/** Longer text is valid nowhere: this much of it is kept, which is enough to be refused. */
const MAX_TEXT_CHARACTERS = 16 * 1024;
const MAX_ATTRIBUTE_CHARACTERS = 1024;

const LEAF_ATTRIBUTES = ['type', 'priority', 'preference', 'location', 'mediatype', 'piece'] as const;
type LeafAttribute = (typeof LEAF_ATTRIBUTES)[number];

/** An element that is kept, with all character data directly inside. */
export interface Leaf {
  attributes: Partial<Record<LeafAttribute, string>>;
  text: string;
}

/** Elements of one kind, of which only the first are kept. */
export interface Leaves {
  kept: Leaf[];
  count: number;
}

export interface CollectedFile extends Record<LeafRole, Leaves> {
  version: 3 | 4;
  /** As it stands there. */
  name: string;
  pieceLists: PieceList[];
  pieceListCount: number;
}

export interface CollectedDocument {
  file: CollectedFile;
  /** For reports: names of the files that were not chosen. */
  otherNames: string[];
}

const leaves = (): Leaves => ({ kept: [], count: 0 });

const newFile = (version: 3 | 4, name: string): CollectedFile => ({
  version,
  name,
  size: leaves(),
  hash: leaves(),
  url: leaves(),
  metaurl: leaves(),
  pieceLists: [],
  pieceListCount: 0,
});

const attributeOf = ({ attributes }: OpenedElement, name: string): string | undefined => attributes[name]?.value;

/** Cut, which also makes one string of the many that the parser may have made it of. */
function newLeaf(element: OpenedElement): Leaf {
  const attributes: Leaf['attributes'] = {};
  for (const name of LEAF_ATTRIBUTES) {
    const value = attributeOf(element, name);
    if (value !== undefined) attributes[name] = value.slice(0, MAX_ATTRIBUTE_CHARACTERS);
  }
  return { attributes, text: '' };
}

class Collector implements XmlReader {
  readonly #format: ImageFormat;
  /** Of the elements that are open; undefined for those that mean nothing here. */
  readonly #roles: (Role | undefined)[] = [];
  #namespace = '';
  #grammar: Grammar | undefined;
  /** Of all files, for reports. */
  readonly #names: string[] = [];
  #chosen: CollectedFile | undefined;
  #chosenIndex = -1;
  /** Undefined while a file is read that was not chosen. */
  #file: CollectedFile | undefined;
  /** The element whose text is wanted. */
  #leaf: Leaf | undefined;

  constructor(format: ImageFormat) {
    this.#format = format;
  }

  open(element: OpenedElement): void {
    const parent = this.#roles.at(-1);
    const role = this.#roles.length === 0 ? this.#openRoot(element) : this.#roleOf(element, parent);
    this.#roles.push(role);
    if (role === 'file') this.#openFile(attributeOf(element, 'name') ?? '');
    else if (role !== undefined && this.#file) this.#openInside(this.#file, role, element);
  }

  text(text: string): void {
    const leaf = this.#leaf;
    // Elements inside a leaf have no role, and their text is not the leaf's.
    if (!leaf || this.#roles.at(-1) === undefined) return;
    leaf.text = (leaf.text + text.slice(0, MAX_TEXT_CHARACTERS)).slice(0, MAX_TEXT_CHARACTERS);
  }

  close(): void {
    const role = this.#roles.pop();
    if (role === 'piece' && this.#leaf) {
      this.#file?.pieceLists.at(-1)?.add(this.#leaf.text, this.#leaf.attributes.piece);
    }
    if (role === 'file') this.#file = undefined;
    if (role !== undefined) this.#leaf = undefined;
  }

  finish(): CollectedDocument {
    if (!this.#chosen) throw refusal('SLIPWAY_METALINK_INVALID', 'it describes no file');
    return { file: this.#chosen, otherNames: this.#names.toSpliced(this.#chosenIndex, 1) };
  }

  #openRoot(element: OpenedElement): Role {
    this.#namespace = element.uri;
    this.#grammar = grammarOf(element);
    return 'metalink';
  }

  /** Only elements of the document's own vocabulary count: foreign markup may use the same names for other things. */
  #roleOf({ uri, local }: OpenedElement, parent: Role | undefined): Role | undefined {
    if (parent === undefined || uri !== this.#namespace) return undefined;
    // Documents without a namespace exist; their structure tells the version.
    if (!this.#grammar && local === 'files') this.#grammar = GRAMMAR_3;
    if (!this.#grammar && local === 'file') this.#grammar = GRAMMAR_4;
    return this.#grammar && roleOf(this.#grammar, parent, local);
  }

  #openFile(name: string): void {
    this.#names.push(printable(name));
    if (this.#names.length > MAX_FILES) {
      throw refusal('SLIPWAY_METALINK_TOO_LARGE', `it describes more than ${MAX_FILES} files`);
    }
    const chosen = this.#chosen;
    if (chosen && name !== '' && chosen.name === name) {
      throw refusal('SLIPWAY_METALINK_INVALID', `it describes the file "${printable(name)}" twice`);
    }
    if (chosen && misfitOf(chosen.name, this.#format) <= misfitOf(name, this.#format)) return;
    this.#chosenIndex = this.#names.length - 1;
    this.#chosen = newFile(this.#grammar === GRAMMAR_3 ? 3 : 4, name);
    this.#file = this.#chosen;
  }

  #openInside(file: CollectedFile, role: Role, element: OpenedElement): void {
    if (role === 'pieces') {
      file.pieceListCount++;
      if (file.pieceListCount > MAX_PIECE_LISTS) return;
      const [type = '', length = ''] = [attributeOf(element, 'type'), attributeOf(element, 'length')];
      file.pieceLists.push(createPieceList(type, length, file.version === 3));
    } else if (role === 'piece') {
      if (file.pieceListCount <= MAX_PIECE_LISTS) this.#leaf = newLeaf(element);
    } else if (role === 'size' || role === 'hash' || role === 'url' || role === 'metaurl') {
      const list = file[role];
      list.count++;
      this.#leaf = newLeaf(element);
      if (list.count <= MAX_ELEMENTS) list.kept.push(this.#leaf);
    }
  }
}

/**
 * What a metalink document of version 4 (RFC 5854) or 3 says about the one of its files whose name fits `format` best,
 * uninterpreted. Memory stays in proportion to what is kept: other files, and what means nothing, are read past.
 *
 * @throws SlipwayError SLIPWAY_METALINK_INVALID, SLIPWAY_METALINK_DTD, SLIPWAY_METALINK_TOO_LARGE
 */
export function collectFile(bytes: Buffer, format: ImageFormat): CollectedDocument {
  const collector = new Collector(format);
  readXml(bytes, collector);
  return collector.finish();
}
