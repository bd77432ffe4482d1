import { userNetworkOf } from '../../../db/networks.js';
import type { NewNic } from '../../../db/nics.js';
import { findUsableNetwork } from '../../../db/reads/list-networks.js';
import { readSettingsOf } from '../../../db/scoped-settings.js';
import { SlipwayError } from '../../../shared/errors.js';
import { parseMacAddress } from '../../../shared/mac-address.js';
import { noSuchEntity } from '../../protocol/standard-texts.js';
import type { CommandContext } from '../define-command.js';

/** More than anybody needs, and within what QEMU's default machine has slots for. */
const MAXIMUM_NICS = 8;

/**
 * The interfaces of a new VM, the default one first: in the networks that were named, or else in the network that the
 * zone has for everybody.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_VALUE, SLIPWAY_PARAMETER_INVALID; SLIPWAY_PERMISSION_DENIED for a network of type
 *   User that is not for users
 */
export async function nicsOf(
  { networkids = [], macaddress }: { networkids?: string[]; macaddress?: string },
  zone: { id: string; name: string },
  context: CommandContext,
): Promise<NewNic[]> {
  const { db, caller, command } = context;
  if (networkids.length > MAXIMUM_NICS) {
    throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `A VM has at most ${MAXIMUM_NICS} networks`);
  }
  if (networkids.length === 0) await requireUserNetworks('Parameter networkids is required', zone.id, context);
  for (const id of networkids) {
    const network = await findUsableNetwork(db, caller, id);
    if (!network) throw noSuchEntity(command, 'networkids', id);
    if (network.zoneId !== zone.id) {
      throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `Network ${id} doesn't belong to zone ${zone.name}`);
    }
    if (network.guestType === 'User') await requireUserNetworks(`Network ${id} is for root admins`, zone.id, context);
  }
  const ids = networkids.length > 0 ? networkids : [await userNetworkOf(db, zone.id)];
  const macAddress = macaddress === undefined ? undefined : parseMacAddress(macaddress);
  return ids.map((networkId, place) => (place === 0 ? { networkId, macAddress } : { networkId }));
}

/** A guest there reaches the loopback address of its host: an operator may keep strangers' guests out. */
async function requireUserNetworks(what: string, zoneId: string, { db, caller }: CommandContext): Promise<void> {
  if (caller.role === 'Admin') return;
  const settings = await readSettingsOf(db, { accountId: caller.accountId, zoneId });
  if (settings['allow.user.network'] === 'true') return;
  throw new SlipwayError(
    'SLIPWAY_PERMISSION_DENIED',
    `${what}: networks of type User are closed to users here (setting allow.user.network)`,
  );
}
