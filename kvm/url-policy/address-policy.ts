import ipaddr from 'ipaddr.js';
import { SlipwayError } from '../../shared/errors.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Cidr = [Address, number];

/**
 * Why an address must not be connected to; undefined when it may be. `address` is an IP literal without brackets.
 */
export type AddressPolicy = (address: string) => string | undefined;

/** Metadata services of clouds that live in ranges which are otherwise allowed. */
const METADATA_ADDRESSES = new Set(['168.63.129.16', 'fd00:ec2::254', 'fd20:ce::254']);

/** An allow-list: ranges that ipaddr.js learns to tell apart later are refused until someone decides on them. */
const ALLOWED_RANGES = new Set<string>(['unicast', 'private', 'uniqueLocal']);

const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3];
const NAT64: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('64:ff9b::'), 96];

/** The IPv4 address inside IPv4-mapped and NAT64 (RFC 6052) forms, which would else hide 127.0.0.1 from the ranges. */
function unwrap(address: Address): Address {
  if (address instanceof ipaddr.IPv4) return address;
  if (address.isIPv4MappedAddress()) return address.toIPv4Address();
  if (address.match(NAT64)) return new ipaddr.IPv4(address.toByteArray().slice(12));
  return address;
}

function parseCidr(text: string): Cidr {
  try {
    if (text.includes('/')) return ipaddr.parseCIDR(text);
    const address = ipaddr.parse(text);
    return [address, address.kind() === 'ipv4' ? 32 : 128];
  } catch (cause) {
    throw new SlipwayError(
      'SLIPWAY_PARAMETER_INVALID',
      `"${text}" in the list of allowed internal sites is not a CIDR`,
      {
        cause,
      },
    );
  }
}

const isInside = (address: Address, [network, bits]: Cidr): boolean =>
  address.kind() === network.kind() && address.match(network, bits);

/**
 * Private ranges (RFC 1918, unique local) are allowed, as in CloudStack: most image servers live there. Loopback,
 * link-local, metadata, unspecified, multicast, broadcast, shared (RFC 6598), tunnel and reserved addresses are refused unless
 * `allowedInternalCidrs` lists them.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when an entry is neither a CIDR nor an address
 */
export function createAddressPolicy(allowedInternalCidrs: readonly string[]): AddressPolicy {
  const allowed = allowedInternalCidrs.map(parseCidr);
  return (text) => {
    if (!ipaddr.isValid(text)) return 'is not an IP address';
    const address = unwrap(ipaddr.parse(text));
    if (allowed.some((cidr) => isInside(address, cidr))) return undefined;
    if (METADATA_ADDRESSES.has(address.toString())) return 'is a metadata service';
    const range = address.range();
    if (!ALLOWED_RANGES.has(range)) return `is in the range "${range}"`;
    // Site-local and unassigned space is "unicast" to ipaddr.js.
    if (address instanceof ipaddr.IPv6 && range === 'unicast' && !address.match(GLOBAL_UNICAST)) {
      return 'is not a global unicast address';
    }
    return undefined;
  };
}
