import { required, string } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { changeConfiguration, changedConfiguration, configurationOf, settingNamed } from './change-configuration.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';
import { ownerFor, ownerParameters } from './setting-owner.js';

export const resetConfiguration = defineCommand({
  name: 'resetConfiguration',
  description:
    'Gives a setting its default again, or has a zone, cluster, pool or account follow what counts around it again.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  since: '4.16.0',
  params: {
    name: required(string('Name of the setting.')),
    ...ownerParameters,
    ...unsupported({ imagestoreid: { type: 'uuid' }, networkid: { type: 'uuid', since: '4.18.0' } }),
  },
  response: changedConfiguration,
  async handle(args, context) {
    const name = settingNamed(args.name);
    const owner = await ownerFor(name, args, context);
    await changeConfiguration(context, name, owner, undefined);
    return configurationOf(context, name, owner);
  },
});
