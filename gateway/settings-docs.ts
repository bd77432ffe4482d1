import { SETTING_SUBGROUPS, type SettingScope } from '../shared/setting-entry.js';
import { allowedValues } from '../shared/setting-values.js';
import { SETTING_NAMES, settingEntry, type SettingName } from '../shared/settings.js';
import { markdownLines, markdownTable } from './markdown.js';

const SCOPE_WORDS: Record<SettingScope, string> = {
  Zone: 'zone',
  Cluster: 'cluster',
  StoragePool: 'pool',
  Account: 'account',
};

/** The reference of all settings, from their table, in Markdown. */
export const settingsDocs = (): string =>
  markdownLines(
    '# Settings',
    'Read with [listConfigurations](api/listConfigurations.md), changed with ' +
      '[updateConfiguration](api/updateConfiguration.md), given their default again with ' +
      '[resetConfiguration](api/resetConfiguration.md). Names, units and defaults are those of CloudStack where it has them.',
    'Every setting is dynamic: a change holds for what begins afterwards, within seconds, and nothing is restarted. Limits ' +
      'of bandwidth hold for downloads that run, too. Each change is an event, `CONFIGURATION.VALUE.EDIT`, with the old ' +
      'and the new value and who made it.',
    'A setting that names a scope can also be set for one zone (`zoneid`), cluster (`clusterid`), pool (`storageid`) or ' +
      'account (`accountid`). The value of an account goes before that of a pool, then come cluster, zone and the whole ' +
      'installation. What is set for one of them goes when it is removed.',
    ...Object.values(SETTING_SUBGROUPS)
      .filter((group, index, all) => all.indexOf(group) === index)
      .flatMap((group) => section(group)),
  );

function section(group: string): string[] {
  const names = SETTING_NAMES.filter((name) => SETTING_SUBGROUPS[settingEntry(name).subgroup ?? 'Others'] === group);
  if (names.length === 0) return [];
  return [
    `## ${group}`,
    markdownTable(['Name', 'Default', 'Unit', 'Values', 'Scopes', 'What it does'], names.toSorted().map(row)),
  ];
}

function row(name: SettingName): string[] {
  const entry = settingEntry(name);
  const unit = 'unit' in entry ? entry.unit : undefined;
  return [
    `\`${name}\``,
    entry.defaultValue === '' ? 'empty' : `\`${entry.defaultValue}\``,
    unit ?? '',
    allowedValues(name).replace(unit === undefined ? '' : ` (${unit})`, ''),
    entry.scopes?.map((scope) => SCOPE_WORDS[scope]).join(', ') ?? '',
    entry.description,
  ];
}
