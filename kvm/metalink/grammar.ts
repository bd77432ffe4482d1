import { printable } from './printable.js';
import type { OpenedElement } from './read-xml.js';
import { refusal } from './refusal.js';

const VERSION_4 = 'urn:ietf:params:xml:ns:metalink';
const VERSION_3 = 'http://www.metalinker.org/';

/** What an element is, by where it stands: `hash` of a file, and `piece` of a list, have the same name. */
export type Role = 'metalink' | 'files' | 'file' | 'verification' | 'resources' | 'pieces' | 'piece' | LeafRole;
export type LeafRole = 'size' | 'hash' | 'url' | 'metaurl';
export type Grammar = ReadonlyMap<string, Role>;

const grammar = (entries: readonly (readonly [parent: Role, name: string, role: Role])[]): Grammar =>
  new Map(entries.map(([parent, name, role]) => [`${parent}/${name}`, role]));

export const GRAMMAR_4 = grammar([
  ['metalink', 'file', 'file'],
  ['file', 'size', 'size'],
  ['file', 'hash', 'hash'],
  ['file', 'url', 'url'],
  ['file', 'metaurl', 'metaurl'],
  ['file', 'pieces', 'pieces'],
  ['pieces', 'hash', 'piece'],
]);

export const GRAMMAR_3 = grammar([
  ['metalink', 'files', 'files'],
  ['files', 'file', 'file'],
  ['file', 'size', 'size'],
  ['file', 'verification', 'verification'],
  ['verification', 'hash', 'hash'],
  ['verification', 'pieces', 'pieces'],
  ['pieces', 'hash', 'piece'],
  ['file', 'resources', 'resources'],
  ['resources', 'url', 'url'],
]);

/** What an element of the document's own vocabulary is inside of another one; undefined when it means nothing there. */
export const roleOf = (grammar: Grammar, parent: Role, name: string): Role | undefined =>
  grammar.get(`${parent}/${name}`);

/** Undefined when the root element does not say which version its document is of. */
export function grammarOf({ uri, local }: OpenedElement): Grammar | undefined {
  if (local !== 'metalink') {
    throw refusal('SLIPWAY_METALINK_INVALID', `its root element is "${printable(local)}" and not "metalink"`);
  }
  if (uri === VERSION_4) return GRAMMAR_4;
  if (uri === VERSION_3) return GRAMMAR_3;
  if (uri === '') return undefined;
  throw refusal('SLIPWAY_METALINK_INVALID', 'its namespace is not that of a metalink');
}
