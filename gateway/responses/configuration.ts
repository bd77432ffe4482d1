import { settingEntry, type SettingName } from '../../shared/settings.js';
import { allowedValues } from '../../shared/setting-values.js';
import { field, type ResponseOf } from '../protocol/fields.js';

/** Of every setting: CloudStack has categories that are secret or hidden too. */
export const SETTING_CATEGORY = 'Advanced';

export const configurationFields = {
  name: field('string', 'Name of the setting.'),
  value: field('string', 'What it holds.'),
  defaultvalue: field('string', 'What it holds unless it is changed.'),
  category: field('string', `Always ${SETTING_CATEGORY}.`),
  description: field('string', 'What it is for, and which values it takes.'),
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

export function configurationResponse(name: SettingName, value: string): ResponseOf<typeof configurationFields> {
  const { defaultValue, description, type } = settingEntry(name);
  const words = name.replaceAll('.', ' ');
  return {
    name,
    value,
    defaultvalue: defaultValue,
    category: SETTING_CATEGORY,
    description: `${description} It has to be ${allowedValues(name)}.`,
    displaytext: words.charAt(0).toUpperCase() + words.slice(1),
    type: TYPES[type],
    isdynamic: true,
  };
}
