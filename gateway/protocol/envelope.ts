import { XMLBuilder } from 'fast-xml-parser';

/** What a response is made of. Fields that are null or undefined are left out. */
export type ResponseValue =
  string | number | boolean | null | undefined | readonly ResponseValue[] | { readonly [key: string]: ResponseValue };

export type ResponseBody = { readonly [key: string]: ResponseValue };

export interface RenderedAnswer {
  contentType: string;
  body: string;
}

/** The API level that the declared parameters and responses follow. */
export const CLOUDSTACK_VERSION = '4.22.0.0';

const xml = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@_', processEntities: true });

/**
 * `{"<name>":{…}}`, or CloudStack's XML when the caller did not ask for JSON.
 *
 * @param name `<command in lower case>response` or `errorresponse`
 */
export function renderAnswer(format: string | undefined, name: string, body: ResponseBody): RenderedAnswer {
  const fields = withoutNulls(body) as Record<string, unknown>;
  if (format?.toLowerCase() === 'json') {
    return { contentType: 'application/json; charset=UTF-8', body: JSON.stringify({ [name]: fields }) };
  }
  const document = xml.build({
    '?xml': { '@_version': '1.0', '@_encoding': 'UTF-8' },
    [name]: { '@_cloud-stack-version': CLOUDSTACK_VERSION, ...fields },
  });
  return { contentType: 'text/xml; charset=UTF-8', body: document.replaceAll(NOT_XML, '\uFFFD') };
}

/** What no XML 1.0 document may have, escaped or not (XML 1.0, 2.2): one such character would spoil a whole list. */
// oxlint-disable-next-line no-control-regex -- control characters are what this looks for
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;

export function withoutNulls(value: ResponseValue): ResponseValue {
  if (Array.isArray(value)) return (value as readonly ResponseValue[]).map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== null && field !== undefined)
      .map(([key, field]) => [key, withoutNulls(field)]),
  );
}

/**
 * @param instant as PostgreSQL writes a timestamptz
 * @returns `yyyy-MM-ddTHH:mm:ss+0000`
 */
export const apiDate = (instant: string | null | undefined): string | undefined =>
  instant ? new Date(instant).toISOString().replace(/\.\d+Z$/, '+0000') : undefined;
