import { hasSettingOwner, type SettingOwner } from '../../db/change-scoped-setting.js';
import { findDomain } from '../../db/reads/find-account.js';
import { settingEntry, type SettingName } from '../../shared/settings.js';
import { invalid } from '../protocol/invalid.js';
import { type ArgumentsOf, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import type { CommandContext } from './define-command.js';

/** Whose setting it is about: at most one of them; that of the whole installation without any. */
export const ownerParameters = {
  zoneid: uuid('ID of the zone whose setting it is.'),
  clusterid: uuid('ID of the cluster whose setting it is.'),
  storageid: uuid('ID of the pool whose setting it is.'),
  accountid: uuid('ID of the account whose setting it is.'),
  domainid: uuid('ID of a domain. No setting can be set for a domain.'),
};

const SCOPE_OF = {
  zoneid: 'Zone',
  clusterid: 'Cluster',
  storageid: 'StoragePool',
  accountid: 'Account',
  domainid: 'Domain',
} as const;

type OwnerArguments = ArgumentsOf<typeof ownerParameters>;

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID for several, SLIPWAY_PARAMETER_VALUE for one that is not there */
export async function ownerOf(
  args: OwnerArguments,
  { db, command }: CommandContext,
): Promise<SettingOwner | { scope: 'Domain'; id: string } | undefined> {
  const named = Object.entries(SCOPE_OF).flatMap(([parameter, scope]) => {
    const id = args[parameter as keyof OwnerArguments];
    return id === undefined ? [] : [{ parameter, scope, id }];
  });
  for (const { parameter, scope, id } of named) {
    const isThere = scope === 'Domain' ? await findDomain(db, id) : await hasSettingOwner(db, { scope, id });
    if (!isThere) throw noSuchEntity(command, parameter, id);
  }
  if (named.length > 1) throw invalid('cannot handle multiple IDs, provide only one ID corresponding to the scope');
  return named[0];
}

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID when the setting cannot be set for such an owner */
export async function ownerFor(
  name: SettingName,
  args: OwnerArguments,
  context: CommandContext,
): Promise<SettingOwner | undefined> {
  const owner = await ownerOf(args, context);
  if (owner === undefined) return undefined;
  if (owner.scope !== 'Domain' && settingEntry(name).scopes?.includes(owner.scope)) return owner;
  throw invalid(`Invalid scope id provided for the parameter ${name}`);
}
