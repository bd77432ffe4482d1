import { readSettings } from '../../db/settings.js';
import { SETTING_NAMES } from '../../shared/settings.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { string } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { configurationFields, configurationResponse } from '../responses/configuration.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';

export const listConfigurations = defineCommand({
  name: 'listConfigurations',
  description: 'Lists global settings. There are no settings of zones, clusters, pools or accounts.',
  kind: 'list',
  allowedRoles: ADMIN_ONLY,
  params: {
    ...listParameters,
    keyword: string('Only what has this text in its name, value, description or category.'),
    name: string('Only what has this text in its name.'),
    category: string('Category of the setting; all are Advanced.'),
    ...unsupported({
      zoneid: { type: 'uuid' },
      clusterid: { type: 'uuid' },
      storageid: { type: 'uuid' },
      accountid: { type: 'uuid' },
      domainid: { type: 'uuid' },
      imagestoreuuid: { type: 'uuid' },
      group: { type: 'string', since: '4.18.0' },
      subgroup: { type: 'string', since: '4.18.0' },
      parent: { type: 'string', since: '4.18.0' },
    }),
  },
  response: { objectName: 'configuration', fields: configurationFields },
  async handle(args, { db }) {
    const { limit, offset } = pageOf(args);
    const values = await readSettings(db);
    const found = SETTING_NAMES.toSorted()
      .map((name) => configurationResponse(name, values[name]))
      .filter(
        ({ name, value, description, category }) =>
          contains(name, args.name) &&
          (args.category ?? category)?.toLowerCase() === category?.toLowerCase() &&
          [name, value, description, category].some((text) => contains(text, args.keyword)),
      );
    return { count: found.length, items: found.slice(offset, offset + limit) };
  },
});

/** Without regard to case, as CloudStack's database compares. */
const contains = (text: string | null | undefined, part: string | undefined): boolean =>
  part === undefined || (text ?? '').toLowerCase().includes(part.toLowerCase());
