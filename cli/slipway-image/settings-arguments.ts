import { type SettingName, SETTINGS, type SettingValues } from '../../shared/settings.js';
import { usageError } from './usage-error.js';

const PATTERNS: Record<(typeof SETTINGS)[SettingName]['type'], RegExp> = {
  integer: /^\d{1,15}$/,
  decimal: /^\d{1,15}(?:\.\d+)?$/,
  boolean: /^(?:true|false)$/,
  string: /^/,
};

const isSettingName = (name: string): name is SettingName => Object.hasOwn(SETTINGS, name);

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
    if (!PATTERNS[SETTINGS[name].type].test(value)) {
      throw usageError(`--setting ${name} has to be ${describeType(SETTINGS[name].type)}, not ${value}`);
    }
    values[name] = value;
  }
  return values;
}

const describeType = (type: string): string =>
  ({ integer: 'a whole number', decimal: 'a number', boolean: 'true or false' })[type] ?? 'a text';
