import { execFile } from 'node:child_process';
import { SlipwayError } from '../../shared/errors.js';

/** What a host has for guests whose network is L2. */
export interface GuestNetworkOptions {
  /** The Linux bridge that guests without a VLAN are attached to. */
  bridge?: string | undefined;
  /** The interface on which VLANs of guests arrive tagged: a network card, a bond, or the bridge itself. */
  vlanInterface?: string | undefined;
}

/** Runs iproute2's `ip` and returns what it printed; rejects with what it said. */
export type RunIp = (args: readonly string[]) => Promise<string>;

const IP_TIMEOUT_MS = 10_000;
const MAX_VLAN = 4094;

const runIp: RunIp = (args) =>
  new Promise((resolve, reject) => {
    const options = { timeout: IP_TIMEOUT_MS, env: { PATH: process.env['PATH'], LC_ALL: 'C' } };
    execFile('ip', args, options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const said = stderr.trim().split('\n')[0];
      reject(new Error(error.code === 'ENOENT' ? 'iproute2 is not installed' : said || error.message));
    });
  });

/** Names of at most 15 characters, which is what Linux allows. */
const bridgeName = (vlan: number): string => `slipbr-${vlan}`;
const vlanName = (vlan: number): string => `slipvl-${vlan}`;

/**
 * Finds the bridge that a guest of an L2 network is attached to. Those without a VLAN share the bridge that the host has;
 * each VLAN has a bridge of its own, made when the first guest of it starts and then kept: libvirt tags frames on a Linux
 * bridge itself only from version 11 on.
 *
 * @returns its name for a VLAN, or for none (null)
 * @throws SlipwayError SLIPWAY_HYPERVISOR when the host has no such network
 */
export function createGuestNetwork(
  { bridge, vlanInterface }: GuestNetworkOptions,
  run: RunIp = runIp,
): (vlan: number | null) => Promise<string> {
  const making = new Map<number, Promise<string>>();
  return (vlan) => {
    if (vlan === null) {
      return bridge === undefined
        ? refuse('This host has no bridge for guests of L2 networks')
        : Promise.resolve(bridge);
    }
    if (!Number.isInteger(vlan) || vlan < 1 || vlan > MAX_VLAN) return refuse(`${vlan} is no VLAN`);
    if (vlanInterface === undefined) return refuse(`This host has no interface for VLANs of guests, as ${vlan}`);
    const made =
      making.get(vlan) ??
      ensureVlanBridge(run, vlanInterface, vlan)
        .catch((error: Error) => refuse(`VLAN ${vlan} cannot be had on ${vlanInterface}: ${error.message}`))
        .finally(() => making.delete(vlan));
    making.set(vlan, made);
    return made;
  };
}

const refuse = (message: string): Promise<never> => Promise.reject(new SlipwayError('SLIPWAY_HYPERVISOR', message));

/** Of `ip -json -details link show`. */
interface Link {
  flags?: string[];
  link?: string;
  master?: string;
  linkinfo?: { info_kind?: string; info_data?: { id?: number; protocol?: string } };
}

async function ensureVlanBridge(run: RunIp, vlanInterface: string, vlan: number): Promise<string> {
  const [bridge, device] = [bridgeName(vlan), vlanName(vlan)];
  const found = await readOwnLinks(run, vlanInterface, vlan);
  if (found.device?.master === bridge && isUp(found.bridge) && isUp(found.device)) return bridge;
  await addUnlessThere(run, ['name', bridge, 'type', 'bridge', 'forward_delay', '0', 'stp_state', '0']);
  await addUnlessThere(run, ['link', vlanInterface, 'name', device, 'type', 'vlan', 'id', String(vlan)]);
  // What was there a moment later may be another installation's.
  await readOwnLinks(run, vlanInterface, vlan);
  // Without an address, also of IPv6, the host itself is not reached from the guests' network. Before they are up: the
  // kernel gives one then, and keeps it.
  for (const name of [bridge, device]) await run(['link', 'set', 'dev', name, 'addrgenmode', 'none']);
  await run(['link', 'set', 'dev', device, 'master', bridge]);
  for (const name of [bridge, device]) await run(['link', 'set', 'dev', name, 'up']);
  return bridge;
}

/**
 * What there is of the bridge of a VLAN.
 *
 * @throws Error for others of their names: another uplink, or another VLAN, would join networks that are apart
 */
async function readOwnLinks(
  run: RunIp,
  vlanInterface: string,
  vlan: number,
): Promise<{ bridge?: Link | undefined; device?: Link }> {
  const bridge = await readLink(run, bridgeName(vlan));
  if (bridge && bridge.linkinfo?.info_kind !== 'bridge') throw new Error(`${bridgeName(vlan)} is no bridge`);
  const device = await readLink(run, vlanName(vlan));
  if (!device) return { bridge };
  const { link, linkinfo } = device;
  const isSame = linkinfo?.info_kind === 'vlan' && linkinfo.info_data?.id === vlan && link === vlanInterface;
  if (!isSame) throw new Error(`${vlanName(vlan)} is there, and is not VLAN ${vlan} of ${vlanInterface}`);
  return { bridge, device };
}

const isUp = (link: Link | undefined): boolean => link?.flags?.includes('UP') === true;

async function readLink(run: RunIp, name: string): Promise<Link | undefined> {
  const output = await run(['-json', '-details', 'link', 'show', 'dev', name]).catch((error: Error) => {
    if (error.message.includes('does not exist')) return '[]';
    throw error;
  });
  return (JSON.parse(output) as Link[])[0];
}

/** Another process may be as far as this one. */
const addUnlessThere = (run: RunIp, link: readonly string[]): Promise<unknown> =>
  run(['link', 'add', ...link]).catch((error: Error) => {
    if (!error.message.includes('File exists')) throw error;
  });
