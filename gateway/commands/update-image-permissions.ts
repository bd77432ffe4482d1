import { SlipwayError } from '../../shared/errors.js';
import { requirePublicRight } from '../auth/require-public-right.js';
import { field } from '../protocol/fields.js';
import { type ArgumentsOf, boolean, required, uuid } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { type CommandContext, defineCommand, EVERYBODY } from './define-command.js';
import { type ImageKind, ownImage } from './own-image.js';
import { changeImage } from './update-image.js';

const params = {
  id: required(uuid('ID.')),
  ispublic: boolean('Whether every account may use it.'),
  isfeatured: boolean('Whether it is featured; only a root admin can change that.'),
  isextractable: boolean('Kept and shown; a direct download is never extracted.'),
  ...unsupported({
    op: { type: 'string' },
    accounts: { type: 'list' },
    accountids: { type: 'list' },
    projectids: { type: 'list' },
  }),
};

const response = {
  objectName: 'success',
  fields: { success: field('boolean', 'Always true: a call that cannot do it fails.') },
};

async function changePermissions(kind: ImageKind, args: ArgumentsOf<typeof params>, context: CommandContext) {
  const image = await ownImage({ id: args.id, kind, doing: 'change' }, context);
  if (args.isfeatured !== undefined && context.caller.role !== 'Admin') {
    throw new SlipwayError('SLIPWAY_PERMISSION_DENIED', 'Only a root admin can say what is featured');
  }
  if (args.ispublic) {
    const what = kind === 'iso' ? 'ISO' : 'template';
    await requirePublicRight(context.db, context.caller, `Only private ${what}s can be created.`);
  }
  const { ispublic: isPublic, isfeatured: isFeatured, isextractable: isExtractable } = args;
  await changeImage(image, { isPublic, isFeatured, isExtractable }, context);
  return { success: true };
}

export const updateTemplatePermissions = defineCommand({
  name: 'updateTemplatePermissions',
  description: 'Says who may use a template.',
  kind: 'sync',
  allowedRoles: EVERYBODY,
  params,
  response,
  handle: (args, context) => changePermissions('template', args, context),
});

export const updateIsoPermissions = defineCommand({
  name: 'updateIsoPermissions',
  description: 'Says who may use an ISO.',
  kind: 'sync',
  allowedRoles: EVERYBODY,
  params,
  response,
  handle: (args, context) => changePermissions('iso', args, context),
});
