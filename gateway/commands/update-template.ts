import { findZones } from '../../db/reads/find-deployment-parts.js';
import { zonesOfImage } from '../../db/reads/find-image.js';
import { SlipwayError } from '../../shared/errors.js';
import { field } from '../protocol/fields.js';
import { boolean } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { templateFields } from '../responses/template.js';
import { type CommandContext, defineCommand, EVERYBODY } from './define-command.js';
import { ownImage } from './own-image.js';
import { templateResponses } from './template-responses.js';
import { templateType, templateTypeParameters } from './template-type.js';
import { changeImage, updateParameters } from './update-image.js';

export const updateTemplate = defineCommand({
  name: 'updateTemplate',
  description:
    'Changes what is said of a template. Its URL never changes, and what it is deployed as only for new deployments.',
  kind: 'sync',
  allowedRoles: EVERYBODY,
  params: {
    ...updateParameters,
    ...templateTypeParameters,
    requireshvm: boolean('Whether it needs hardware virtualisation.'),
    ...unsupported({ bootable: { type: 'boolean', harmless: 'true' } }),
  },
  response: {
    objectName: 'template',
    fields: { template: field('object', 'The template, in one of its zones.', templateFields) },
  },
  async handle(args, context) {
    const image = await ownImage({ id: args.id, kind: 'template', doing: 'change' }, context);
    const isInEveryZone = await isEverywhere(image.id, context);
    const type = templateType(args, context.caller, { verb: 'update Template to', isInEveryZone });
    // Its owner could else have deleted what system VMs are started from.
    if (type && type !== image.type && context.caller.role !== 'Admin') {
      throw new SlipwayError(
        'SLIPWAY_PERMISSION_DENIED',
        `Only a root admin can change that a template is ${image.type}`,
      );
    }
    const rows = await changeImage(
      image,
      {
        name: args.name,
        displayText: args.displaytext,
        guestOsId: args.ostypeid,
        arch: args.arch,
        requiresHvm: args.requireshvm,
        sortKey: args.sortkey,
        type,
      },
      context,
    );
    const { items } = await templateResponses(context.db, context.caller, rows);
    return { template: items[0] };
  },
});

async function isEverywhere(id: string, { db }: CommandContext): Promise<boolean> {
  const has = await zonesOfImage(db, id);
  return (await findZones(db)).every((zone) => has.includes(zone.id));
}
