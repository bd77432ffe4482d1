import { SETTING_SUBGROUPS, type SettingScope } from '../../shared/setting-entry.js';
import { settingEntry, type SettingName } from '../../shared/settings.js';
import { allowedValues } from '../../shared/setting-values.js';
import { field, type ResponseOf } from '../protocol/fields.js';

export const configurationFields = {
  name: field('string', 'Name of the setting.'),
  value: field('string', 'What it holds, or what counts for the one that was asked for.'),
  defaultvalue: field('string', 'What it holds unless it is changed.'),
  scope: field('string', 'zone, cluster, storagepool or account, when one was asked for.'),
  category: field('string', 'Advanced, Alert or Storage.'),
  group: field('string', 'What it is about, by the names that CloudStack has.'),
  subgroup: field('string', 'The same, in more detail.'),
  parent: field('string', 'The setting without which it does nothing.'),
  description: field('string', 'What it is for, which values it takes, and what it can be set for.'),
  displaytext: field('string', 'The name as words.'),
  type: field('string', 'Number, Decimal, Boolean or CSV.'),
  isdynamic: field('boolean', 'Always true: a change needs no restart.'),
};

/** CloudStack's names of types, by which its web page chooses what a value is edited with. */
const TYPES = {
  integer: 'Number',
  decimal: 'Decimal',
  boolean: 'Boolean',
  cidrs: 'CSV',
  servers: 'CSV',
  countryCodes: 'CSV',
} as const;

const SCOPES = {
  Zone: { response: 'zone', words: 'a zone' },
  Cluster: { response: 'cluster', words: 'a cluster' },
  StoragePool: { response: 'storagepool', words: 'a pool' },
  Account: { response: 'account', words: 'an account' },
} as const satisfies Record<SettingScope, object>;

/** @param scope of the one whose `value` it is; of the whole installation when missing */
export function configurationResponse(
  name: SettingName,
  value: string,
  scope?: SettingScope,
): ResponseOf<typeof configurationFields> {
  const { defaultValue, description, type, scopes, category, subgroup = 'Others', parent } = settingEntry(name);
  const words = name.replaceAll('.', ' ');
  const also = scopes ? ` It can be set for ${scopes.map((one) => SCOPES[one].words).join(' or ')}.` : '';
  return {
    name,
    value,
    defaultvalue: defaultValue,
    scope: scope && SCOPES[scope].response,
    category: category ?? 'Advanced',
    group: SETTING_SUBGROUPS[subgroup],
    subgroup,
    parent,
    description: `${description} It has to be ${allowedValues(name)}.${also}`,
    displaytext: words.charAt(0).toUpperCase() + words.slice(1),
    type: TYPES[type],
    isdynamic: true,
  };
}
