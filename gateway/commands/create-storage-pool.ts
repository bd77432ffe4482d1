import { findCluster } from '../../db/reads/list-clusters.js';
import { findHost } from '../../db/reads/list-hosts.js';
import { isUuid } from '../../kvm/uuid.js';
import { createStoragePool as insertStoragePool, type NewStoragePool } from '../../db/storage-pools.js';
import { field } from '../protocol/fields.js';
import { invalid } from '../protocol/invalid.js';
import { type ArgumentsOf, oneOf, required, string, uuid, withDefault } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { tags } from '../protocol/tags.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { shownStoragePool } from '../responses/shown-storage-pools.js';
import { storagePoolFields } from '../responses/storage-pool.js';
import { ADMIN_ONLY, type CommandContext, defineCommand } from './define-command.js';
import { parseStoragePoolUrl, type StoragePoolAddress } from './storage-pool-url.js';

const params = {
  name: required(string('Name of the pool.')),
  url: required(
    string('nfs://<server>/<path>, SharedMountPoint://localhost/<path>, or filesystem://<id of a host>/<path>.', {
      maxLength: 2048,
    }),
  ),
  zoneid: required(uuid('ID of the zone.')),
  podid: uuid('ID of the pod of the cluster.'),
  clusterid: uuid('ID of the cluster; required when the scope is CLUSTER.'),
  scope: oneOf(['CLUSTER', 'ZONE', 'HOST'], 'Whose hosts reach it; CLUSTER when absent, HOST for a filesystem://.'),
  hypervisor: oneOf(['KVM', 'Any'], 'Hypervisor of its hosts; required when the scope is ZONE.'),
  tags: withDefault(tags('Tags that offerings ask for'), []),
  ...unsupported({
    capacitybytes: { type: 'long' },
    capacityiops: { type: 'long' },
    details: { type: 'map' },
    istagarule: { type: 'boolean' },
    managed: { type: 'boolean' },
    provider: { type: 'string', harmless: 'defaultprimary' },
    storageaccessgroups: { type: 'string', since: '4.21.0' },
  }),
};

type Arguments = ArgumentsOf<typeof params>;

export const createStoragePool = defineCommand({
  name: 'createStoragePool',
  description:
    'Makes a primary storage pool. Slipway mounts nothing: hosts that have the pool, by its id, in their configuration ' +
    'report it. Until one can use it, its state is Initialized, and nothing is placed there.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params,
  response: { objectName: 'storagepool', fields: { storagepool: field('object', 'The pool.', storagePoolFields) } },
  async handle(args, context) {
    const { db, caller, command } = context;
    const address = parseStoragePoolUrl(args.url);
    const { name, zoneid: zoneId, tags: poolTags } = args;
    const where = await whereOf(args, address, context);
    const id = await insertStoragePool(db, caller, { name, zoneId, tags: poolTags, ...address, ...where });
    if (id !== undefined) return { storagepool: await shownStoragePool(db, id) };
    throw where.place ? invalid('The zone has no such cluster') : noSuchEntity(command, 'zoneid', zoneId);
  },
});

type Where = Pick<NewStoragePool, 'scope' | 'place'>;

async function whereOf(args: Arguments, address: StoragePoolAddress, context: CommandContext): Promise<Where> {
  const { clusterid, podid, hypervisor } = args;
  if (address.type === 'Filesystem') return ofHost(args, address, context);
  if (args.scope === 'HOST') throw invalid('A pool of scope HOST has a URL that begins with filesystem://');
  if (args.scope === 'ZONE') {
    if (hypervisor) return { scope: 'ZONE' };
    throw invalid('Missing parameter hypervisor. Hypervisor type is required to create zone wide primary storage.');
  }
  if (!clusterid) throw invalid("cluster id can't be null, if scope is cluster");
  const row = await findCluster(context.db, clusterid);
  if (!row) throw noSuchEntity(context.command, 'clusterid', clusterid);
  if (podid && podid !== row.cluster.podId) throw invalid(`Cluster ${row.cluster.name} is not in that pod`);
  return { scope: 'CLUSTER', place: { podId: row.cluster.podId, clusterId: clusterid } };
}

async function ofHost(
  { scope, url }: Arguments,
  { hostAddress }: StoragePoolAddress,
  { db, command }: CommandContext,
): Promise<Where> {
  if (scope === 'CLUSTER' || scope === 'ZONE') throw invalid("A pool of a filesystem:// is one host's own: scope=HOST");
  // The text may be any.
  const isId = isUuid(hostAddress ?? '');
  const found = isId ? await findHost(db, hostAddress!) : undefined;
  if (!found) throw noSuchEntity(command, 'url', url);
  return { scope: 'HOST', place: { podId: found.host.podId, clusterId: found.host.clusterId } };
}
