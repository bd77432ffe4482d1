import { listTemplates as readTemplates } from '../../db/reads/list-templates.js';
import { TEMPLATE_FILTERS } from '../../db/reads/template-views.js';
import { TEMPLATE_TYPES } from '../../db/templates.js';
import { SlipwayError } from '../../shared/errors.js';
import { idsOf, listParameters, pageOf } from '../protocol/paging.js';
import { boolean, oneOf, required, string, uuid, uuids, withDefault } from '../protocol/parameters.js';
import { tagPairs } from '../protocol/tag-pairs.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { templateFields } from '../responses/template.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { scopeOf, scopeParameters } from './list-scope.js';
import { refuseToOthers } from './refuse-to-others.js';
import { sortOrder } from './sort-order.js';
import { templateResponses } from './template-responses.js';

export const listTemplates = defineCommand({
  name: 'listTemplates',
  description: 'Lists templates, one entry per zone. A caller sees their own and public ones, a root admin all.',
  kind: 'list',
  allowedRoles: EVERYBODY,
  params: {
    ...listParameters,
    templatefilter: required(oneOf(TEMPLATE_FILTERS, 'View; all is for administrators.')),
    id: uuid('ID of the template.'),
    ids: uuids('IDs of templates, comma separated.', { since: '4.9' }),
    name: string('Only what has this text in its name.'),
    zoneid: uuid('ID of the zone.'),
    storageid: uuid('ID of a pool that has it, or gets it; for root admins.', { since: '4.19' }),
    ...scopeParameters,
    tags: tagPairs('Only what has one of these tags, as tags[0].key=…&tags[0].value=….'),
    arch: string('CPU architecture.', { since: '4.20' }),
    templatetype: oneOf(TEMPLATE_TYPES, 'What it is for.', { since: '4.19.0' }),
    isready: boolean('Whether it can be deployed.', { since: '4.21.0' }),
    showremoved: withDefault(boolean('Whether removed templates are listed too.'), false),
    ...withoutEffect({
      details: { type: 'list', since: '4.15' },
      showicon: { type: 'boolean' },
    }),
    ...unsupported({
      imagestoreid: { type: 'uuid', since: '4.19' },
      projectid: { type: 'uuid' },
      hypervisor: { type: 'string', harmless: 'kvm' },
      showunique: { type: 'boolean', since: '4.13.2' },
      parenttemplateid: { type: 'uuid', since: '4.4' },
      isvnf: { type: 'boolean', since: '4.19.0' },
      forcks: { type: 'boolean', since: '4.21.0' },
      oscategoryid: { type: 'uuid', since: '4.21.0' },
      extensionid: { type: 'uuid', since: '4.21.0' },
    }),
  },
  response: { objectName: 'template', fields: templateFields },
  async handle(args, context) {
    const { db, caller } = context;
    refuseToOthers({ storageid: args.storageid }, caller);
    if (args.templatefilter === 'all' && caller.role === 'User') {
      throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', 'Filter all can be specified by admin only');
    }
    const filter = {
      isIso: false,
      templateFilter: args.templatefilter,
      ids: idsOf(args),
      name: args.name,
      zoneId: args.zoneid,
      poolId: args.storageid,
      scope: await scopeOf(args, context, { hasId: args.id !== undefined || args.ids !== undefined }),
      isScopeNamed: args.account !== undefined || args.domainid !== undefined,
      arch: args.arch,
      templateType: args.templatetype,
      isReady: args.isready,
      isRemovedShown: args.showremoved,
      tags: args.tags,
      keyword: args.keyword,
      ...(await sortOrder(context)),
    };
    return templateResponses(db, caller, await readTemplates(db, caller, filter, pageOf(args)));
  },
});
