import { checkHeaders, type HttpHeader, MAX_HEADER_VALUE_LENGTH, splitHeader } from '../../shared/http-headers.js';
import { SlipwayError } from '../../shared/errors.js';
import { map, type Parameter } from '../protocol/parameters.js';

interface TemplateDetails {
  details: { name: string; value: string }[];
  headers: HttpHeader[];
}

const plain = map(
  'Details, details[0].name=value; only index 0 counts. HTTP headers for the origin of the URL are ' +
    'details[0].HTTP_HEADER:NAME=VALUE or details[0].HTTP_HEADER=NAME:VALUE, at any index; they are never shown.',
);

/** Whatever begins like a header is one, or an error: as a detail of another name its value would be listed. */
const isHeader = (key: string): boolean => /^http_header/i.test(key);

/** The details of a template, and apart from them its HTTP headers, in CloudStack's form and in that of its wiki. */
export const templateDetails: Parameter<TemplateDetails> = {
  ...plain,
  maxLength: MAX_HEADER_VALUE_LENGTH,
  read(parameters, name, command) {
    const withoutHeaders = {
      ...parameters,
      getMap: (map: string) => parameters.getMap(map).filter(([key]) => !isHeader(key)),
    };
    const headers = parameters.getMaps(name).filter(([key]) => isHeader(key));
    return {
      details: plain.read(withoutHeaders, name, command),
      headers: checkHeaders(headers.map(([key, value]) => readHeader(key, value))),
    };
  },
};

function readHeader(key: string, value: string): HttpHeader {
  const form = key.slice('HTTP_HEADER'.length);
  if (form === '') return splitHeader(value);
  if (form.startsWith(':')) return [form.slice(1), value];
  throw new SlipwayError('SLIPWAY_HEADER_INVALID', 'A detail begins with HTTP_HEADER and is no HTTP header');
}
