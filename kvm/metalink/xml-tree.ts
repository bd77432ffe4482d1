import { XMLParser, XMLValidator } from 'fast-xml-parser';

export interface XmlElement {
  /** Namespace URI; empty when it has none. */
  namespace: string;
  /** Without prefix. */
  name: string;
  /** Attributes without a prefix, which belong to the element's own vocabulary. */
  attributes: ReadonlyMap<string, string>;
  children: readonly XmlElement[];
  /** All character data directly inside. */
  text: string;
}

const ATTRIBUTES = ':@';
const ATTRIBUTE_PREFIX = '@';
const TEXT = '#text';
const CDATA = '#cdata';

const MAX_DEPTH = 32;

const PREDEFINED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The parser's own decoding is off: it would also follow what a document declares. */
function decode(text: string): string {
  return text.replace(/&(#x[0-9a-f]{1,6}|#\d{1,7}|\w+);?/gi, (reference, name: string) => {
    const predefined = PREDEFINED[name];
    if (predefined !== undefined && reference.endsWith(';')) return predefined;
    const code = /^#x/i.test(name) ? parseInt(name.slice(2), 16) : name.startsWith('#') ? Number(name.slice(1)) : NaN;
    if (code > 0 && code <= 0x10ffff) return String.fromCodePoint(code);
    throw new Error(`it has the unknown entity ${reference.slice(0, 40)}`);
  });
}

type Node = Record<string, unknown>;

/** Prefixes that an element declares, and what holds outside of it. */
interface Scope {
  declared: ReadonlyMap<string, string>;
  outer: Scope | undefined;
}

/** Walks outwards, depth being bounded: copied maps would make declarations times elements entries. */
function namespaceOf(prefix: string, scope: Scope | undefined): string {
  for (let inner = scope; inner; inner = inner.outer) {
    const namespace = inner.declared.get(prefix);
    if (namespace !== undefined) return namespace;
  }
  return '';
}

function textOf(nodes: readonly Node[]): string {
  return nodes
    .map((node) => {
      if (TEXT in node) return decode(String(node[TEXT]));
      if (CDATA in node) return textOfCdata(node[CDATA]);
      return '';
    })
    .join('');
}

/** Taken as it is: no references inside. */
const textOfCdata = (value: unknown): string =>
  Array.isArray(value) ? value.map((part: Record<string, string>) => part[TEXT] ?? '').join('') : '';

function toElement(node: Node, scope: Scope | undefined, depth: number): XmlElement | undefined {
  const tag = Object.keys(node).find((key) => key !== ATTRIBUTES && key !== TEXT && key !== CDATA);
  if (tag === undefined || tag.startsWith('?')) return undefined;
  if (depth > MAX_DEPTH) throw new Error(`its elements are nested more than ${MAX_DEPTH} deep`);
  const raw = Object.entries((node[ATTRIBUTES] ?? {}) as Record<string, unknown>).map(
    ([key, value]) => [key.slice(ATTRIBUTE_PREFIX.length), decode(String(value))] as const,
  );
  const declarations = raw
    .filter(([key]) => key === 'xmlns' || key.startsWith('xmlns:'))
    .map(([key, value]) => [key.slice('xmlns:'.length), value] as const);
  const inner = declarations.length > 0 ? { declared: new Map(declarations), outer: scope } : scope;
  const [name, prefix = ''] = tag.split(':', 2).reverse() as [string, string?];
  const children = node[tag] as Node[];
  return {
    namespace: namespaceOf(prefix, inner),
    name,
    attributes: new Map(raw.filter(([key]) => !key.includes(':'))),
    children: children.flatMap((child) => toElement(child, inner, depth + 1) ?? []),
    text: textOf(children),
  };
}

/**
 * The root element of a document from a stranger: no document type, hence no declared entities; bounded depth. The
 * caller bounds the bytes.
 *
 * @throws Error with a message that says what is wrong
 */
export function parseXml(text: string): XmlElement {
  if (/<!doctype/i.test(text)) throw new Error('it has a document type, which is not allowed');
  const validity = XMLValidator.validate(text);
  if (validity !== true) throw new Error(`it is not well-formed: line ${validity.err.line}: ${validity.err.msg}`);
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: ATTRIBUTE_PREFIX,
    textNodeName: TEXT,
    cdataPropName: CDATA,
    parseTagValue: false,
    parseAttributeValue: false,
    trimValues: false,
    processEntities: false,
    maxNestedTags: MAX_DEPTH,
  });
  const roots = (parser.parse(text) as Node[]).flatMap((node) => toElement(node, undefined, 1) ?? []);
  const [root] = roots;
  if (!root || roots.length > 1) throw new Error('it does not have exactly one root element');
  return root;
}
