import { settingsOwner } from '../../db/change-scoped-setting.js';
import { readScopedSettings, readSettingsOf } from '../../db/scoped-settings.js';
import { SETTING_SUBGROUPS } from '../../shared/setting-entry.js';
import { SETTING_NAMES, settingEntry } from '../../shared/settings.js';
import { invalid } from '../protocol/invalid.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { string } from '../protocol/parameters.js';
import { quotable } from '../protocol/standard-texts.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { configurationFields, configurationResponse } from '../responses/configuration.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';
import { ownerOf, ownerParameters } from './setting-owner.js';

export const listConfigurations = defineCommand({
  name: 'listConfigurations',
  description:
    'Lists settings with what they hold; with the ID of a zone, cluster, pool or account those that can be set for it, ' +
    'with what counts there.',
  kind: 'list',
  allowedRoles: ADMIN_ONLY,
  params: {
    ...listParameters,
    keyword: string('Only what has this text in its name, value, description or category.'),
    name: string('Only what has this text in its name.'),
    category: string('Only what is of this category.'),
    group: string('Only what is of this group.', { since: '4.18.0' }),
    subgroup: string('Only what is of this subgroup; the group has to be given too.', { since: '4.18.0' }),
    parent: string('Only what does nothing without this setting.', { since: '4.18.0' }),
    ...ownerParameters,
    ...unsupported({ imagestoreuuid: { type: 'uuid' } }),
  },
  response: { objectName: 'configuration', fields: configurationFields },
  async handle(args, context) {
    requireGroups(args);
    const { limit, offset } = pageOf(args);
    const owner = await ownerOf(args, context);
    // No setting can be set for a domain.
    if (owner?.scope === 'Domain') return { count: 0, items: [] };
    const values = owner
      ? await readSettingsOf(context.db, settingsOwner(owner))
      : (await readScopedSettings(context.db)).at({});
    const found = SETTING_NAMES.toSorted()
      .filter((name) => owner === undefined || settingEntry(name).scopes?.includes(owner.scope))
      .map((name) => configurationResponse(name, values[name], owner?.scope))
      .filter(
        ({ name, value, description, category, group, subgroup, parent }) =>
          contains(name, args.name) &&
          isText(category, args.category) &&
          isText(group, args.group) &&
          isText(subgroup, args.subgroup) &&
          isText(parent, args.parent) &&
          [name, value, description, category].some((text) => contains(text, args.keyword)),
      );
    return { count: found.length, items: found.slice(offset, offset + limit) };
  },
});

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID, in CloudStack's words */
function requireGroups({ group, subgroup }: { group?: string; subgroup?: string }): void {
  if (subgroup !== undefined && group === undefined) {
    throw invalid('Configuration group name must be specified with the subgroup name');
  }
  if (group !== undefined && !Object.values(SETTING_SUBGROUPS).some((one) => isText(one, group))) {
    throw invalid(`Invalid configuration group: ${quotable(group)}`);
  }
  if (subgroup !== undefined && !Object.keys(SETTING_SUBGROUPS).some((one) => isText(one, subgroup))) {
    throw invalid(`Invalid configuration subgroup: ${quotable(subgroup)}`);
  }
}

/** Both without regard to case, as CloudStack's database compares; anything when nothing is asked for. */
const isText = (text: string | null | undefined, wanted: string | undefined): boolean =>
  wanted === undefined || text?.toLowerCase() === wanted.toLowerCase();

const contains = (text: string | null | undefined, part: string | undefined): boolean =>
  part === undefined || (text ?? '').toLowerCase().includes(part.toLowerCase());
