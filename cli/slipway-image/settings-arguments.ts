import { isSettingName, type SettingValues } from '../../shared/settings.js';
import { allowedValues, parseSetting } from '../../shared/setting-values.js';
import { usageError } from './usage-error.js';

/**
 * Global settings by `NAME=VALUE`: what an installation keeps in its database holds here for one command.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID
 */
export function applySettings(defaults: SettingValues, assignments: readonly string[]): SettingValues {
  const values = { ...defaults };
  for (const assignment of assignments) {
    const equals = assignment.indexOf('=');
    const name = assignment.slice(0, Math.max(0, equals));
    const value = assignment.slice(equals + 1);
    if (equals < 0) throw usageError(`--setting has to be NAME=VALUE, not ${assignment}`);
    if (!isSettingName(name)) throw usageError(`--setting: there is no setting ${name}`);
    const parsed = parseSetting(name, value);
    if (parsed === undefined) throw usageError(`--setting ${name} has to be ${allowedValues(name)}; not ${value}`);
    values[name] = parsed;
  }
  return values;
}
