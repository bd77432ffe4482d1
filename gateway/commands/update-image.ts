import { findImage, type Image } from '../../db/reads/find-image.js';
import { hasGuestOs } from '../../db/reads/find-deployment-parts.js';
import { listTemplates } from '../../db/reads/list-templates.js';
import { updateTemplate, type TemplateChanges } from '../../db/update-template.js';
import { SlipwayError } from '../../shared/errors.js';
import { isDiskFormat } from '../../shared/images.js';
import { oneOf, required, string, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { unsupported } from '../protocol/undone-parameters.js';
import type { CommandContext } from './define-command.js';

/** What updateTemplate and updateIso take alike. */
export const updateParameters = {
  id: required(uuid('ID.')),
  name: string('Another name.'),
  displaytext: string('Another text for people.', { maxLength: 4096 }),
  ostypeid: uuid('ID of another OS type.'),
  arch: oneOf(['x86_64', 'aarch64'], 'Another CPU architecture.', { since: '4.20' }),
  ...unsupported({
    format: { type: 'string' },
    passwordenabled: { type: 'boolean' },
    sshkeyenabled: { type: 'boolean' },
    sortkey: { type: 'integer', harmless: '0' },
    isdynamicallyscalable: { type: 'boolean' },
    details: { type: 'map' },
    cleanupdetails: { type: 'boolean' },
    templatetag: { type: 'string', since: '4.20.0' },
    forcks: { type: 'boolean', since: '4.21.0' },
  }),
};

export type ImageKind = 'template' | 'iso';

/**
 * A template or an ISO that the caller may change.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID, SLIPWAY_PERMISSION_DENIED
 */
export async function ownImage(kind: ImageKind, id: string, context: CommandContext): Promise<Image> {
  const { db, caller, command } = context;
  const image = await findImage(db, caller, id);
  if (!image) throw noSuchEntity(command, 'id', id);
  if (!image.isOwn) {
    throw new SlipwayError(
      'SLIPWAY_PERMISSION_DENIED',
      `Unable to change ${image.name}: only its owner and root admins may`,
    );
  }
  if (isDiskFormat(image.format) !== (kind === 'template')) {
    throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `Please specify a valid ${kind}.`);
  }
  return image;
}

/** Changes it, and answers with its rows, one for each zone. */
export async function changeImage(kind: ImageKind, id: string, changes: TemplateChanges, context: CommandContext) {
  const { db, caller, command } = context;
  if (changes.guestOsId && !(await hasGuestOs(db, changes.guestOsId))) {
    throw noSuchEntity(command, 'ostypeid', changes.guestOsId);
  }
  await updateTemplate(db, { id, userId: caller.userId, changes });
  return listTemplates(
    db,
    caller,
    { isIso: kind === 'iso', templateFilter: 'all', ids: [id], isRemovedShown: false },
    { limit: 1, offset: 0 },
  );
}
