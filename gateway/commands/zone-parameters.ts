import { isIP } from 'node:net';
import { invalid } from '../protocol/invalid.js';
import type { Parameter } from '../protocol/parameters.js';

const HOST_BITS = { 4: 32, 6: 128 };

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID when it is no CIDR, as `10.1.1.0/24` is one */
export function checkCidr(text: string | undefined): void {
  if (text === undefined || text === '') return;
  const [, address, bits] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const version = isIP(address ?? '') as 0 | 4 | 6;
  if (version === 0 || Number(bits) > HOST_BITS[version]) throw invalid('Please enter a valid guest cidr');
}

/** An empty text takes back what was said before. */
export const orNone = (text: string | undefined): string | null | undefined => (text === '' ? null : text);

/** A Basic zone has no networks of type L2, and Slipway has no others. */
export const advancedOnly = (
  parameter: Parameter<'Basic' | 'Advanced' | undefined>,
): Parameter<'Advanced' | undefined> => ({
  ...parameter,
  read(parameters, name, command) {
    const type = parameter.read(parameters, name, command);
    if (type === 'Basic') throw invalid('Slipway has zones of network type Advanced only');
    return type;
  },
});
