import { isUuid } from '../../../kvm/uuid.js';
import { boundedText } from '../../../shared/bounded-text.js';
import { type HostFacts, type HostStatus, POOL_TYPES } from '../../../shared/hosts.js';
import type { PoolCopies } from '../../../shared/templates.js';
import { isListOfObjects, isObject, nonsense } from './nonsense.js';

/** Characters of a version or a name; of a reason; of a path, as when a host joins. */
export const LONGEST_WORD = 255;
const LONGEST_REASON = 1_000;
const LONGEST_PATH = 4_096;
/** As many pools as a host can join with. */
const MOST_POOLS = 64;
const MOST_TOOLS = 64;

/** Of an integer of the database. */
const MOST = 2 ** 31 - 1;

const bounded = (text: string, longest: number): string => (typeof text === 'string' ? boundedText(text, longest) : '');
const word = (text: string): string => bounded(text, LONGEST_WORD);
const wordOf = (text: string | undefined): string | undefined => (text === undefined ? undefined : word(text));

/**
 * What a host says of itself, in texts of which none is too long for a list or an event, or fit for no database. VMs and
 * pools that nobody can have are not looked for: the database would refuse, and be asked again for ever.
 *
 * @throws SlipwayError SLIPWAY_HOST_TOO_OLD when it is not what a host says of itself
 */
export function boundStatus(said: HostStatus): HostStatus {
  if (!isStatus(said)) throw nonsense();
  const { facts, domains } = said;
  return {
    facts: boundFacts(facts),
    domains: domains.filter(({ vmId, token }) => isUuid(vmId) && Number.isSafeInteger(token)),
  };
}

/** Template copies of which a host has found something, as far as there can be such. */
export const boundPartials = (partials: PoolCopies[]): PoolCopies[] =>
  isListOfObjects(partials) ? partials.filter(({ poolId, copies }) => isUuid(poolId) && isListOfObjects(copies)) : [];

const isStatus = (said: unknown): boolean =>
  isObject(said) &&
  isListOfObjects(said['domains']) &&
  isObject(said['facts']) &&
  isListOfObjects(said['facts']['pools']) &&
  ['number', 'undefined'].includes(typeof said['facts']['protocolVersion']);

const isSize = (bytes: number): boolean => Number.isSafeInteger(bytes) && bytes >= 0;
/** None, of what there cannot be so many: nothing is placed on such a host. */
const countOf = (count: number, most = MOST): number => (isSize(count) && count <= most ? count : 0);
const isReport = (said: HostFacts['keystore'] | null): boolean =>
  isObject(said) && isSize(said.generation) && typeof said.digest === 'string';

function boundFacts(facts: HostFacts): HostFacts {
  return {
    ...facts,
    cpus: countOf(facts.cpus),
    cpuSpeedMhz: countOf(facts.cpuSpeedMhz),
    memoryBytes: countOf(facts.memoryBytes, Number.MAX_SAFE_INTEGER),
    keystore: isReport(facts.keystore) ? facts.keystore : undefined,
    bootId: word(facts.bootId),
    arch: word(facts.arch),
    domainType: facts.domainType === 'kvm' ? 'kvm' : 'qemu',
    hypervisorVersion: word(facts.hypervisorVersion),
    libvirtVersion: wordOf(facts.libvirtVersion),
    slipwayVersion: wordOf(facts.slipwayVersion),
    ipAddress: wordOf(facts.ipAddress),
    missingTools: Array.isArray(facts.missingTools) ? facts.missingTools.slice(0, MOST_TOOLS).map(word) : undefined,
    pools: facts.pools
      .filter(({ poolId, type }) => isUuid(poolId) && POOL_TYPES.includes(type))
      .filter(({ capacityBytes, usedBytes }) => isSize(capacityBytes) && isSize(usedBytes))
      .slice(0, MOST_POOLS)
      .map((pool) => ({
        ...pool,
        path: bounded(pool.path, LONGEST_PATH),
        problem: pool.problem === undefined ? undefined : bounded(pool.problem, LONGEST_REASON),
      })),
  };
}
