import { and, eq, not, notInArray, sql } from 'drizzle-orm';
import { isOwed } from '../../../db/claim-sql.js';
import {
  asyncJob,
  capacityClaim,
  diskOffering,
  host,
  JOB_STATUS,
  serviceOffering,
  templateStoreRef,
  vmInstance,
  vmTemplate,
  volumes,
} from '../../../db/schema/index.js';
import { plansOnce } from '../../../db/plan-once.js';
import { readScopedSettings } from '../../../db/scoped-settings.js';
import { isSlipwayError, SlipwayError } from '../../../shared/errors.js';
import { isDiskFormat } from '../../../shared/images.js';
import type { ScopedSettings } from '../../../shared/scoped-settings.js';
import {
  type Deployment,
  type DeployVirtualMachineInput,
  type Disc,
  TOKENS_PER_TRY,
} from '../../../shared/virtual-machines.js';
import { vmWorkflowId } from '../../../shared/workflow-ids.js';
import { takeCapacity } from './capacity.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { oweCleanup } from './deployment.js';
import { domainOf, type GuestRow, memoryBytesOf } from './domain-spec.js';
import { claimFirst, type NoHost, returnsWithinMs } from './claim-first.js';
import { takeReadyCopy } from '../template/quick-join.js';
import { type Lack, makeRoom } from '../template/make-room.js';
import { factorsOf } from '../planner/factors.js';
import { type PlacementNeeds, rankHosts } from '../planner/rank-hosts.js';
import { shortPools } from '../planner/short-pools.js';
import { readCandidates } from './read-candidates.js';

export interface ClaimHostInput {
  vmId: string;
  jobId: string;
  excludedHostIds: string[];
  within?: DeployVirtualMachineInput['within'];
}

export type ClaimHostResult =
  /** `installPath` is the template's file, when the pool has it: there is nothing to wait for, and the disk may be made. */
  | { outcome: 'claimed'; deployment: Deployment; installPath: string | null }
  | NoHost
  /** The job has ended or the VM has moved on: somebody started this workflow once too often. */
  | { outcome: 'obsolete' };

/**
 * Ranks the hosts that fit and claims the first that still has the capacity, with a new fencing token. A claim that is
 * there already is answered again: the one who made it died before he could say so, or the workflow was reset.
 */
export const claimHost =
  (dependencies: ControlDependencies) =>
  async (input: ClaimHostInput): Promise<ClaimHostResult> => {
    const settings = await readScopedSettings(dependencies.db, zoneOf(input.vmId));
    const result = await dependencies.db.transaction((tx) => claim(tx, input, settings));
    if (result.outcome === 'claimed') {
      try {
        return await takeUp(dependencies, result, settings);
      } catch (error) {
        if (!isSlipwayError(error) || error.code !== 'SLIPWAY_HOST_REVOKED') throw error;
        // Revoked since it was claimed. An earlier run of the workflow, which was reset, may have begun something there.
        const { hostId, token } = result.place;
        const { vmId, excludedHostIds } = input;
        await oweCleanup(dependencies)({ debt: { vmId, token, keepsDisk: false }, reason: error.message });
        return claimHost(dependencies)({ ...input, excludedHostIds: [...excludedHostIds, hostId] });
      }
    }
    if (result.outcome !== 'no host') return result;
    const { short, ...noHost } = result;
    // Only now: whoever evicts locks copies first and pools then, as who joins a stage does.
    return { ...noHost, returnsWithinMs: Math.max(noHost.returnsWithinMs, await roomWithinMs(dependencies, short)) };
  };

async function takeUp(
  dependencies: ControlDependencies,
  claimed: Claimed,
  settings: ScopedSettings,
): Promise<ClaimHostResult> {
  // After the transaction: rows of host and pool, which others wait for, are not locked for longer than needed.
  const { db } = dependencies;
  const deployment = await deploymentOf(dependencies, claimed, settings);
  // An earlier run of the workflow, which was reset, may have waited for the copy.
  const asked = { ...deployment, workflowId: vmWorkflowId(deployment.vmId) };
  const installPath = isDiskFormat(deployment.format) ? await takeReadyCopy(db, asked) : null;
  return { outcome: 'claimed', deployment, installPath };
}

const zoneOf = (vmId: string) =>
  sql`(select ${vmInstance.dataCenterId} from ${vmInstance} where ${vmInstance.id} = ${vmId})`;

type Place = Pick<Deployment, 'hostId' | 'hostName' | 'poolId' | 'token'>;

type Claimed = { outcome: 'claimed'; vm: VmToDeploy; place: Place };

async function claim(
  tx: Transaction,
  input: ClaimHostInput,
  settings: ScopedSettings,
): Promise<Claimed | (NoHost & { short: Lack[] }) | { outcome: 'obsolete' }> {
  const vm = await lockVmToDeploy(tx, input);
  if (!vm) return { outcome: 'obsolete' };
  const { instance, template, offering, volume } = vm;
  const earlier = await earlierClaim(tx, instance, input.excludedHostIds);
  if (earlier) return { outcome: 'claimed', vm, place: earlier };
  requireImages(vm);
  const needs: PlacementNeeds = {
    arch: template.arch,
    cpuMhz: offering.cpu * offering.speedMhz,
    ramBytes: memoryBytesOf(offering),
    hostTags: offering.hostTags,
    storageTags: [...offering.storageTags, ...(vm.diskTags ?? [])],
    diskBytes: volume.wantedSizeBytes ?? template.sizeBytes ?? 0,
    templateBytes: template.sizeBytes ?? 0,
  };
  const { vmId, within, excludedHostIds } = input;
  const zoneId = instance.dataCenterId;
  const query = { vmId, within, excludedHostIds, zoneId, templateId: template.id };
  const hosts = await readCandidates(tx, query, settings);
  const { places, refused } = rankHosts(hosts, needs);
  const token = instance.fenceToken + TOKENS_PER_TRY;
  const { cpuMhz, ramBytes, diskBytes } = needs;
  const place = await claimFirst({ places, refused }, ({ hostId, clusterId, poolId }, mayWait) => {
    const factors = factorsOf(settings.at({ zoneId, clusterId, poolId }));
    return takeCapacity(tx, { vmId, token, hostId, poolId, cpuMhz, ramBytes, diskBytes }, { factors, mayWait });
  });
  if (!place) {
    const short = shortPools(hosts, needs).map((pool) => ({ ...pool, templateId: template.id }));
    return {
      outcome: 'no host',
      refused,
      short,
      returnsWithinMs: await returnsWithinMs(tx, refused, settings.at({ zoneId })),
    };
  }
  const { hostId, hostName, poolId } = place;
  return { outcome: 'claimed', vm, place: { hostId, hostName, poolId, token } };
}

/**
 * Has unused templates evicted from the first pool where that is enough. Only when no host has the space as it is: a
 * template that is there now need not be fetched later.
 *
 * @returns how long it is worth waiting for that
 */
async function roomWithinMs(dependencies: ControlDependencies, short: Lack[]): Promise<number> {
  for (const lack of short) {
    const room = await makeRoom(dependencies, lack);
    if (room) return room.withinMs;
  }
  return 0;
}

async function deploymentOf(
  { db, secretBox }: ControlDependencies,
  { vm, place }: Claimed,
  settings: ScopedSettings,
): Promise<Deployment> {
  const { instance, template, volume } = vm;
  const settingsOfPlace = settings.at({ zoneId: instance.dataCenterId, poolId: place.poolId });
  return {
    ...place,
    vmId: instance.id,
    volumeId: volume.id,
    accountId: instance.accountId,
    zoneId: instance.dataCenterId,
    templateId: template.id,
    templateName: template.name,
    generation: template.generation,
    format: template.format,
    disc: vm.disc,
    rootDisk: { sizeBytes: volume.wantedSizeBytes, isCopy: settingsOfPlace['create.full.clone'] === 'true' },
    domain: await domainOf(db, secretBox, vm, place),
  };
}

/** The claim of the VM's present token, unless it was given up. */
async function earlierClaim(tx: Transaction, vm: VmToDeploy['instance'], excludedHostIds: string[]) {
  // Nothing was ever claimed for it.
  if (vm.fenceToken === 0) return undefined;
  const [claim] = await tx
    .select({
      hostId: capacityClaim.hostId,
      hostName: host.name,
      poolId: capacityClaim.poolId,
      token: capacityClaim.token,
    })
    .from(capacityClaim)
    .innerJoin(host, eq(host.id, capacityClaim.hostId))
    .where(
      and(
        eq(capacityClaim.vmId, vm.id),
        eq(capacityClaim.token, vm.fenceToken),
        excludedHostIds.length > 0 ? notInArray(capacityClaim.hostId, excludedHostIds) : undefined,
        not(isOwed(tx)),
      ),
    );
  return claim;
}

interface VmToDeploy {
  instance: GuestRow & Pick<typeof vmInstance.$inferSelect, 'fenceToken' | 'accountId' | 'dataCenterId'>;
  template: Pick<typeof vmTemplate.$inferSelect, 'id' | 'name' | 'generation' | 'format' | 'arch' | 'sizeBytes'>;
  offering: Pick<typeof serviceOffering.$inferSelect, 'cpu' | 'speedMhz' | 'ramMb' | 'hostTags' | 'storageTags'>;
  volume: Pick<typeof volumes.$inferSelect, 'id' | 'wantedSizeBytes'>;
  /** Of the disk offering of the root disk, if it has one. */
  diskTags: string[] | null;
  isTemplateReady: boolean;
  disc: Disc | null;
  isDiscReady: boolean | null;
}

/** In SQL, as `readCandidates`; numbers come as JSON has them. */
async function lockVmToDeploy(tx: Transaction, { vmId, jobId }: ClaimHostInput): Promise<VmToDeploy | undefined> {
  const [row] = await tx.execute<{ vm: VmToDeploy }>(sql`
    select json_build_object(
      'instance', json_build_object(
        'id', vm.id, 'name', vm.name, 'instanceName', vm.instance_name, 'displayName', vm.display_name,
        'templateId', vm.template_id, 'isoId', vm.iso_id, 'isoSpoolRefId', vm.iso_spool_ref_id,
        'userDataEncrypted', vm.user_data_encrypted, 'sshPublicKeys', vm.ssh_public_keys,
        'keyResets', vm.key_resets,
        'vncPasswordEncrypted', vm.vnc_password_encrypted, 'fenceToken', vm.fence_token,
        'accountId', vm.account_id, 'dataCenterId', vm.data_center_id),
      'template', json_build_object(
        'id', t.id, 'name', t.name, 'generation', t.generation, 'format', t.format, 'arch', t.arch,
        'sizeBytes', t.size_bytes),
      'offering', json_build_object(
        'cpu', o.cpu, 'speedMhz', o.speed_mhz, 'ramMb', o.ram_mb, 'hostTags', o.host_tags, 'storageTags', o.storage_tags),
      'volume', json_build_object('id', disk.id, 'wantedSizeBytes', disk.wanted_size_bytes),
      'diskTags', (select storage_tags from ${diskOffering} where id = disk.disk_offering_id),
      'isTemplateReady', ${isReady('t')},
      'disc', (
        select json_build_object('templateId', iso.id, 'templateName', iso.name, 'generation', iso.generation)
        from ${vmTemplate} iso where iso.id = vm.iso_id),
      'isDiscReady', (select ${isReady('iso')} from ${vmTemplate} iso where iso.id = vm.iso_id)
      ) as vm, ${plansOnce}
    from ${vmInstance} vm
    join ${vmTemplate} t on t.id = vm.template_id
    join ${serviceOffering} o on o.id = vm.service_offering_id
    join ${volumes} disk on disk.instance_id = vm.id and disk.volume_type = 'ROOT' and disk.removed is null
    join ${asyncJob} job on job.id = ${jobId} and job.job_status = ${JOB_STATUS.inProgress}
    where vm.id = ${vmId} and vm.state = 'Starting'
    for update of vm`);
  return row?.vm;
}

/** That the zone of the VM `vm` has an image. */
const isReady = (image: 't' | 'iso') => sql`(${sql.raw(image)}.state = 'Active' and exists (
  select from ${templateStoreRef} ref
  where ref.template_id = ${sql.raw(image)}.id and ref.data_center_id = vm.data_center_id and ref.state = 'Ready'))`;

/**
 * That what comes to the pool is not deleted: of an ISO, what is in the drive. A try that has its claim already goes on
 * when it is deleted under it.
 */
function requireImages({ template, disc, isTemplateReady, isDiscReady }: VmToDeploy): void {
  const deleted = [
    isDiskFormat(template.format) && !isTemplateReady ? `Template ${template.name}` : '',
    disc && !isDiscReady ? `ISO ${disc.templateName}` : '',
  ].find((name) => name !== '');
  if (deleted) throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `${deleted} is not ready in the zone of the VM`);
}
