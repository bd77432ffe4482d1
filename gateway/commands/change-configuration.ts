import { changeScopedSetting, type SettingOwner, settingsOwner } from '../../db/change-scoped-setting.js';
import { readScopedSettings, readSettingsOf } from '../../db/scoped-settings.js';
import { changeSetting } from '../../db/settings.js';
import { isSettingName, type SettingName, SETTINGS } from '../../shared/settings.js';
import { field } from '../protocol/fields.js';
import { invalid } from '../protocol/invalid.js';
import { quotable } from '../protocol/standard-texts.js';
import { configurationFields, configurationResponse } from '../responses/configuration.js';
import type { CommandContext } from './define-command.js';

/** What updateConfiguration and resetConfiguration answer with. */
export const changedConfiguration = {
  objectName: 'configuration',
  fields: { configuration: field('object', 'The setting.', configurationFields) },
} as const;

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID, in CloudStack's words */
export function settingNamed(text: string): SettingName {
  const name = text.toLowerCase();
  if (!isSettingName(name)) throw invalid(`Config parameter with name ${quotable(text)} doesn't exist`);
  return name;
}

/**
 * @param owner whose it is; that of the whole installation when missing
 * @param value as `parseSetting` gives it; undefined for the default, or for what counts around the owner
 */
export async function changeConfiguration(
  { db, caller }: CommandContext,
  name: SettingName,
  owner: SettingOwner | undefined,
  value: string | undefined,
): Promise<void> {
  const change = { name, accountId: caller.accountId, userId: caller.userId };
  if (!owner) {
    await changeSetting(db, { ...change, value: value ?? SETTINGS[name].defaultValue });
  } else if (!(await changeScopedSetting(db, owner, { ...change, value }))) {
    throw invalid(`What the setting ${name} was to be changed for has just been removed`);
  }
}

export async function configurationOf({ db }: CommandContext, name: SettingName, owner: SettingOwner | undefined) {
  const values = owner ? await readSettingsOf(db, settingsOwner(owner)) : (await readScopedSettings(db)).at({});
  return { configuration: configurationResponse(name, values[name], owner?.scope) };
}
