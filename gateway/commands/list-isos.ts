import { listTemplates as readTemplates } from '../../db/reads/list-templates.js';
import { TEMPLATE_FILTERS } from '../../db/reads/template-views.js';
import { SlipwayError } from '../../shared/errors.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { boolean, oneOf, string, uuid, withDefault } from '../protocol/parameters.js';
import { tagPairs } from '../protocol/tag-pairs.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { isoFields } from '../responses/iso.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { scopeOf, scopeParameters } from './list-scope.js';
import { refuseToOthers } from './refuse-to-others.js';
import { sortOrder } from './sort-order.js';
import { isoResponses } from './template-responses.js';

export const listIsos = defineCommand({
  name: 'listIsos',
  description: 'Lists ISOs, one entry per zone. A caller sees their own and public ones, a root admin all.',
  kind: 'list',
  allowedRoles: EVERYBODY,
  params: {
    ...listParameters,
    isofilter: withDefault(
      oneOf(TEMPLATE_FILTERS, 'View; selfexecutable when absent, all is for administrators.'),
      'selfexecutable',
    ),
    id: uuid('ID of the ISO.'),
    name: string('Only what has this text in its name.'),
    zoneid: uuid('ID of the zone.'),
    storageid: uuid('ID of a pool that has it, or gets it; for root admins.', { since: '4.19' }),
    ...scopeParameters,
    tags: tagPairs('Only what has one of these tags, as tags[0].key=…&tags[0].value=….'),
    arch: string('CPU architecture.', { since: '4.20' }),
    bootable: boolean('Whether a machine can start from it.'),
    ispublic: boolean('Whether every account may use it.'),
    isready: boolean('Only what can be used, if true; false lists both, as in CloudStack.'),
    showremoved: withDefault(boolean('Whether removed ISOs are listed too.'), false),
    ...withoutEffect({
      showicon: { type: 'boolean' },
      // An ISO is for no hypervisor in particular.
      hypervisor: { type: 'string' },
    }),
    ...unsupported({
      imagestoreid: { type: 'uuid', since: '4.19' },
      projectid: { type: 'uuid' },
      showunique: { type: 'boolean', since: '4.13.2' },
      oscategoryid: { type: 'uuid', since: '4.21.0' },
    }),
  },
  response: { objectName: 'iso', fields: isoFields },
  async handle(args, context) {
    const { db, caller } = context;
    refuseToOthers({ storageid: args.storageid }, caller);
    if (args.isofilter === 'all' && caller.role === 'User') {
      throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', 'Filter all can be specified by admin only');
    }
    const filter = {
      isIso: true,
      templateFilter: args.isofilter,
      ids: args.id === undefined ? undefined : [args.id],
      name: args.name,
      zoneId: args.zoneid,
      poolId: args.storageid,
      scope: await scopeOf(args, context, { hasId: args.id !== undefined }),
      isScopeNamed: args.account !== undefined || args.domainid !== undefined,
      arch: args.arch,
      bootable: args.bootable,
      isPublic: args.ispublic,
      // Clients send false where nothing was asked of them, and would register again what they do not find.
      isReady: args.isready || undefined,
      isRemovedShown: args.showremoved,
      tags: args.tags,
      keyword: args.keyword,
      ...(await sortOrder(context)),
    };
    return isoResponses(db, caller, await readTemplates(db, caller, filter, pageOf(args)));
  },
});
