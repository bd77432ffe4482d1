import { changeSetting, readSettings } from '../../db/settings.js';
import { isSettingName, type SettingName, SETTINGS } from '../../shared/settings.js';
import { allowedValues, parseSetting } from '../../shared/setting-values.js';
import { field } from '../protocol/fields.js';
import { invalid } from '../protocol/invalid.js';
import { required, string, stringOrEmpty } from '../protocol/parameters.js';
import { quotable } from '../protocol/standard-texts.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { configurationFields, configurationResponse } from '../responses/configuration.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';

export const updateConfiguration = defineCommand({
  name: 'updateConfiguration',
  description: 'Changes a global setting. It holds for what begins afterwards; nothing is restarted.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: {
    name: required(string('Name of the setting.')),
    value: stringOrEmpty('The value; empty, or the word null, is the default. When absent, nothing is changed.', {
      maxLength: 4096,
    }),
    ...unsupported({
      zoneid: { type: 'uuid' },
      clusterid: { type: 'uuid' },
      storageid: { type: 'uuid' },
      accountid: { type: 'uuid' },
      domainid: { type: 'uuid' },
      imagestoreuuid: { type: 'uuid' },
    }),
  },
  response: {
    objectName: 'configuration',
    fields: { configuration: field('object', 'The setting.', configurationFields) },
  },
  async handle(args, { db, caller }) {
    const name = args.name.toLowerCase();
    if (!isSettingName(name)) throw invalid(`Config parameter with name ${quotable(args.name)} doesn't exist`);
    if (args.value !== undefined) {
      await changeSetting(db, {
        name,
        value: wantedValue(name, args.value),
        accountId: caller.accountId,
        userId: caller.userId,
      });
    }
    return { configuration: configurationResponse(name, (await readSettings(db))[name]) };
  },
});

function wantedValue(name: SettingName, text: string): string {
  const word = text.trim();
  if (word === '' || word === 'null') return SETTINGS[name].defaultValue;
  const value = parseSetting(name, word);
  if (value === undefined) {
    throw invalid(`The setting ${name} has to be ${allowedValues(name)}. It cannot be ${quotable(text)}`);
  }
  return value;
}
