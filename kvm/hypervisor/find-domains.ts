import type { DomainState } from '../../shared/hosts.js';
import { SlipwayError } from '../../shared/errors.js';
import { readDomainMark, type DomainMark } from './domain-xml.js';
import { hypervisorMessage, type Virsh } from './virsh.js';

export interface DomainIdentity {
  uuid: string;
  name: string;
  state: DomainState;
}

/** `mark` is undefined for a domain that is not Slipway's. */
export interface FoundDomain extends DomainIdentity {
  mark: DomainMark | undefined;
}

// All names of one run are one argument, and Linux takes 128 KiB in one.
const DOMAINS_PER_RUN = 500;

/** Every domain that libvirt knows and `isWanted`, whoever it belongs to. */
export async function findDomains(
  virsh: Virsh,
  isWanted: (domain: DomainIdentity) => boolean = () => true,
): Promise<FoundDomain[]> {
  const { stdout, errors } = await virsh.runAll(['list --all --uuid --name', 'domstats --state']);
  throwUnlessGone(errors);
  const wanted = parseDomainList(stdout).filter(isWanted);
  const marks = new Map<string, DomainMark | undefined>();
  for (let start = 0; start < wanted.length; start += DOMAINS_PER_RUN) {
    const part = wanted.slice(start, start + DOMAINS_PER_RUN);
    const described = await virsh.runAll(part.map(({ uuid }) => `dumpxml ${uuid}`));
    throwUnlessGone(described.errors);
    for (const [uuid, mark] of parseDescriptions(described.stdout)) marks.set(uuid, mark);
  }
  // One that ended between the two looks has no description, and is no more.
  return wanted.filter(({ uuid }) => marks.has(uuid)).map((domain) => ({ ...domain, mark: marks.get(domain.uuid) }));
}

/** One domain, whoever it belongs to, at the same cost however many others there are. */
export async function findDomain(virsh: Virsh, uuid: string): Promise<FoundDomain | undefined> {
  const { stdout, errors } = await virsh.runAll([`domstats --state ${uuid}`, `dumpxml ${uuid}`]);
  throwUnlessGone(errors);
  const [[name, state] = []] = parseStates(stdout);
  const described = parseDescriptions(stdout).find(([found]) => found === uuid);
  return name && state && described ? { uuid, name, state, mark: described[1] } : undefined;
}

/** A domain that ends while it is looked at is not a failure; anything else is. */
function throwUnlessGone(errors: readonly string[]): void {
  const failures = errors.filter((line) => !/failed to get domain|Domain not found/i.test(line));
  if (failures.length > 0) throw new SlipwayError('SLIPWAY_HYPERVISOR', hypervisorMessage(failures));
}

/** Reads `virsh list --all --uuid --name` followed by `virsh domstats --state`. */
export function parseDomainList(output: string): DomainIdentity[] {
  const uuids = new Map<string, string>();
  for (const line of output.split('\n')) {
    const listed = /^([0-9a-f-]{36}) +(.+?) *$/.exec(line);
    if (listed?.[1] && listed[2]) uuids.set(listed[2], listed[1]);
  }
  const states = parseStates(output);
  return [...uuids].flatMap(([name, uuid]) => {
    const state = states.get(name);
    return state ? [{ uuid, name, state }] : [];
  });
}

/** Reads `virsh domstats --state`: states by name. */
function parseStates(output: string): Map<string, DomainState> {
  const states = new Map<string, DomainState>();
  let name: string | undefined;
  for (const line of output.split('\n')) {
    name = /^Domain: '(.*)'$/.exec(line)?.[1] ?? name;
    const code = /^ +state\.state=(\d+)$/.exec(line)?.[1];
    if (name !== undefined && code !== undefined) states.set(name, domainState(Number(code)));
  }
  return states;
}

/** virDomainState of libvirt. One that is shutting down (4) still has its memory and its disks. */
function domainState(code: number): DomainState {
  if (code === 3 || code === 7) return 'Paused';
  if (code === 5) return 'Stopped';
  if (code === 6) return 'Crashed';
  return 'Running';
}

function parseDescriptions(output: string): [uuid: string, mark: DomainMark | undefined][] {
  return output.split(/^(?=<domain )/m).flatMap((xml) => {
    const uuid = /^ {2}<uuid>([0-9a-f-]{36})<\/uuid>$/m.exec(xml)?.[1];
    return uuid ? [[uuid, readDomainMark(xml)] as [string, DomainMark | undefined]] : [];
  });
}
