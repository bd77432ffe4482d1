import { invalid } from '../protocol/invalid.js';

/** What an operator says of the network of a pod's hosts: IPv4 addresses. */
export interface PodNetwork {
  gateway?: string | null | undefined;
  netmask?: string | null | undefined;
  startIp?: string | null | undefined;
  endIp?: string | null | undefined;
}

const numberOf = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

/** Ones, then zeros. */
const isNetmask = (mask: number): boolean => /^1+0*$/.test(mask.toString(2).padStart(32, '0'));

const networkOf = (address: number, mask: number): number => (address & mask) >>> 0;

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID when the addresses contradict each other */
export function checkPodNetwork({ gateway, netmask, startIp, endIp }: PodNetwork): void {
  if (netmask && !isNetmask(numberOf(netmask))) throw invalid('Please specify a valid netmask');
  if (startIp && endIp && numberOf(startIp) > numberOf(endIp)) {
    throw invalid('The start IP address must have a lower value than the end IP address');
  }
  if (endIp && !startIp) throw invalid('An end IP address without a start IP address says nothing');
  if (!gateway || !netmask) return;
  const mask = numberOf(netmask);
  const home = networkOf(numberOf(gateway), mask);
  for (const [name, address] of [
    ['start', startIp],
    ['end', endIp],
  ]) {
    if (!address || networkOf(numberOf(address), mask) === home) continue;
    throw invalid(`The ${name} IP address ${address} is not in the subnet of the gateway`);
  }
}
