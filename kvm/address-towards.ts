import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { lookup } from 'node:dns/promises';

/**
 * The address of this machine that packets to a server leave from. A datagram socket that is connected knows it, and
 * nothing is sent.
 *
 * @param server `name:port`, as Temporal's addresses are; an IPv6 address in brackets
 * @returns undefined when the name is not known or there is no way to it
 */
export async function addressTowards(server: string): Promise<string | undefined> {
  try {
    const { hostname, port } = new URL(`tcp://${server}`);
    const { address, family } = await lookup(hostname.replace(/^\[|\]$/g, ''));
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    try {
      socket.connect(Number(port), address);
      await once(socket, 'connect');
      return socket.address().address;
    } finally {
      socket.close();
    }
  } catch {
    return undefined;
  }
}
