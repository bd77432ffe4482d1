import { field } from '../protocol/fields.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { required, string } from '../protocol/parameters.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';

/** What the lists of pools name. */
const PROVIDERS = [{ name: 'DefaultPrimary', type: 'PRIMARY' }];

export const listStorageProviders = defineCommand({
  name: 'listStorageProviders',
  description: 'Lists what provides storage: of primary storage one, and of other storage nothing.',
  kind: 'list',
  allowedRoles: ADMIN_ONLY,
  params: { ...listParameters, type: required(string('Kind of storage: primary, image or object.')) },
  response: {
    objectName: 'dataStoreProvider',
    fields: { name: field('string', 'Name.'), type: field('string', 'Always PRIMARY.') },
  },
  handle({ type, ...args }) {
    const { limit, offset } = pageOf(args);
    const found = PROVIDERS.filter((provider) => provider.type === type.toUpperCase());
    return Promise.resolve({ count: found.length, items: found.slice(offset, offset + limit) });
  },
});
