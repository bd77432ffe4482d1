import { field } from '../protocol/fields.js';
import { boolean } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { isoFields } from '../responses/iso.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { ownImage } from './own-image.js';
import { isoResponses } from './template-responses.js';
import { changeImage, updateParameters } from './update-image.js';

export const updateIso = defineCommand({
  name: 'updateIso',
  description: 'Changes what is said of an ISO. Its URL never changes.',
  kind: 'sync',
  allowedRoles: EVERYBODY,
  params: {
    ...updateParameters,
    bootable: boolean('Whether a machine can start from it.'),
    ...unsupported({ isrouting: { type: 'boolean' }, requireshvm: { type: 'boolean', harmless: 'true' } }),
  },
  response: { objectName: 'iso', fields: { iso: field('object', 'The ISO, in one of its zones.', isoFields) } },
  async handle(args, context) {
    const image = await ownImage({ id: args.id, kind: 'iso', doing: 'change' }, context);
    const rows = await changeImage(
      image,
      {
        name: args.name,
        displayText: args.displaytext,
        guestOsId: args.ostypeid,
        arch: args.arch,
        bootable: args.bootable,
        sortKey: args.sortkey,
      },
      context,
    );
    const { items } = await isoResponses(context.db, context.caller, rows);
    return { iso: items[0] };
  },
});
