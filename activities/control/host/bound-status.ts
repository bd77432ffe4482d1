import { isUuid } from '../../../kvm/uuid.js';
import { boundedText } from '../../../shared/bounded-text.js';
import type { HostFacts, HostStatus } from '../../../shared/hosts.js';

/** Characters of a version or a name; of a reason; of a path, as when a host joins. */
export const LONGEST_WORD = 255;
const LONGEST_REASON = 1_000;
const LONGEST_PATH = 4_096;
/** As many pools as a host can join with. */
const MOST_POOLS = 64;
const MOST_TOOLS = 64;

/** Of an integer of the database. */
const MOST = 2 ** 31 - 1;

const word = (text: string): string => (typeof text === 'string' ? boundedText(text, LONGEST_WORD) : '');
const wordOf = (text: string | undefined): string | undefined => (text === undefined ? undefined : word(text));

/**
 * What a host says of itself, in texts of which none is too long for a list or an event, or fit for no database. VMs and
 * pools that nobody can have are not looked for: the database would refuse, and be asked again for ever.
 */
export const boundStatus = ({ facts, domains }: HostStatus): HostStatus => ({
  facts: boundFacts(facts),
  domains: domains.filter(({ vmId, token }) => isUuid(vmId) && Number.isSafeInteger(token)),
});

const isSize = (bytes: number): boolean => Number.isSafeInteger(bytes) && bytes >= 0;
/** None, of what there cannot be so many: nothing is placed on such a host. */
const countOf = (count: number, most = MOST): number => (isSize(count) && count <= most ? count : 0);
const isReport = (said: HostFacts['keystore'] | null): boolean =>
  typeof said === 'object' && said !== null && isSize(said.generation) && typeof said.digest === 'string';

function boundFacts(facts: HostFacts): HostFacts {
  return {
    ...facts,
    cpus: countOf(facts.cpus),
    cpuSpeedMhz: countOf(facts.cpuSpeedMhz),
    memoryBytes: countOf(facts.memoryBytes, Number.MAX_SAFE_INTEGER),
    keystore: isReport(facts.keystore) ? facts.keystore : undefined,
    bootId: word(facts.bootId),
    arch: word(facts.arch),
    hypervisorVersion: word(facts.hypervisorVersion),
    libvirtVersion: wordOf(facts.libvirtVersion),
    slipwayVersion: wordOf(facts.slipwayVersion),
    ipAddress: wordOf(facts.ipAddress),
    missingTools: facts.missingTools?.slice(0, MOST_TOOLS).map(word),
    pools: facts.pools
      .filter(({ poolId, capacityBytes, usedBytes }) => isUuid(poolId) && isSize(capacityBytes) && isSize(usedBytes))
      .slice(0, MOST_POOLS)
      .map((pool) => ({
        ...pool,
        path: boundedText(pool.path, LONGEST_PATH),
        problem: pool.problem === undefined ? undefined : boundedText(pool.problem, LONGEST_REASON),
      })),
  };
}
