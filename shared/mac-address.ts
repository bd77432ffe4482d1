import { SlipwayError } from './errors.js';

/**
 * The first byte of every address that Slipway makes up, as CloudStack's have it: administered locally and for one
 * receiver (IEEE 802, the two low bits of the first byte).
 */
const LOCAL_UNICAST = 0x1e;
const MULTICAST_BIT = 0x01;

/** @param random five bytes */
export const macAddressOf = (random: Uint8Array): string =>
  [LOCAL_UNICAST, ...random.subarray(0, 5)].map((byte) => byte.toString(16).padStart(2, '0')).join(':');

/**
 * @returns in lower case, with colons
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID for what no interface can have
 */
export function parseMacAddress(text: string): string {
  const address = text.toLowerCase().replaceAll('-', ':');
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(address) || address === '00:00:00:00:00:00') {
    throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', 'Mac address is not valid: it has six pairs of hex digits');
  }
  const first = Number.parseInt(address.slice(0, 2), 16);
  // libvirt makes the host's end of an interface from the guest's address with fe as first byte, and so refuses it.
  if ((first & MULTICAST_BIT) !== 0 || first === 0xfe) {
    throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `Mac address is not unicast, or begins with fe: ${address}`);
  }
  return address;
}
