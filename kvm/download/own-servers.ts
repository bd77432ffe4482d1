import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { hostOf, portOf } from './endpoint.js';

/** Whether a server is one of the operator's, by its name, `name:port`, or by its address in a CIDR. */
export function isOwnServer(url: URL, ownServers: readonly string[]): boolean {
  const host = hostOf(url).toLowerCase();
  return ownServers.some((own) => {
    if (own === host || own === `${host}:${portOf(url)}`) return true;
    if (isIP(host) === 0 || !ipaddr.isValidCIDR(own)) return false;
    const address = ipaddr.process(host);
    const [network, bits] = ipaddr.parseCIDR(own);
    return address.kind() === network.kind() && address.match(network, bits);
  });
}
