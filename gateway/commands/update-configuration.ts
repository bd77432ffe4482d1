import type { SettingName } from '../../shared/settings.js';
import { allowedValues, parseSetting } from '../../shared/setting-values.js';
import { invalid } from '../protocol/invalid.js';
import { required, string, stringOrEmpty } from '../protocol/parameters.js';
import { quotable } from '../protocol/standard-texts.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { changeConfiguration, changedConfiguration, configurationOf, settingNamed } from './change-configuration.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';
import { ownerFor, ownerParameters } from './setting-owner.js';

export const updateConfiguration = defineCommand({
  name: 'updateConfiguration',
  description:
    'Changes a setting: of the whole installation, or of one zone, cluster, pool or account. It holds for what begins ' +
    'afterwards; nothing is restarted.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: {
    name: required(string('Name of the setting.')),
    value: stringOrEmpty(
      'The value. Empty, or the word null, is the default, or for a zone, cluster, pool or account what counts around ' +
        'it. When absent, nothing is changed.',
      { maxLength: 4096 },
    ),
    ...ownerParameters,
    ...unsupported({ imagestoreuuid: { type: 'uuid' } }),
  },
  response: changedConfiguration,
  async handle(args, context) {
    const name = settingNamed(args.name);
    const owner = await ownerFor(name, args, context);
    if (args.value !== undefined) await changeConfiguration(context, name, owner, wantedValue(name, args.value));
    return configurationOf(context, name, owner);
  },
});

function wantedValue(name: SettingName, text: string): string | undefined {
  const word = text.trim();
  if (word === '' || word === 'null') return undefined;
  const value = parseSetting(name, word);
  if (value === undefined) {
    throw invalid(`The setting ${name} has to be ${allowedValues(name)}. It cannot be ${quotable(text)}`);
  }
  return value;
}
