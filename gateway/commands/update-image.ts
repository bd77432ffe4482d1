import type { Image } from '../../db/reads/find-image.js';
import { hasGuestOs } from '../../db/reads/find-deployment-parts.js';
import { ANY_IMAGE, listTemplates } from '../../db/reads/list-templates.js';
import { updateTemplate, type TemplateChanges } from '../../db/update-template.js';
import { isDiskFormat } from '../../shared/images.js';
import { oneOf, required, string, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { unsupported } from '../protocol/undone-parameters.js';
import type { CommandContext } from './define-command.js';
import { sortKeyParameter } from './sort-order.js';

/** What updateTemplate and updateIso take alike. */
export const updateParameters = {
  id: required(uuid('ID.')),
  name: string('Another name.'),
  displaytext: string('Another text for people.', { maxLength: 4096 }),
  ostypeid: uuid('ID of another OS type.'),
  arch: oneOf(['x86_64', 'aarch64'], 'Another CPU architecture.', { since: '4.20' }),
  ...sortKeyParameter,
  ...unsupported({
    format: { type: 'string' },
    passwordenabled: { type: 'boolean' },
    sshkeyenabled: { type: 'boolean' },
    isdynamicallyscalable: { type: 'boolean' },
    details: { type: 'map' },
    cleanupdetails: { type: 'boolean' },
    templatetag: { type: 'string', since: '4.20.0' },
    forceupdateostype: { type: 'boolean', since: '4.21' },
    forcks: { type: 'boolean', since: '4.21.0' },
  }),
};

/** Changes what `ownImage` has given, and answers with its row in one of its zones. */
export async function changeImage({ id, format }: Image, changes: TemplateChanges, context: CommandContext) {
  const { db, caller, command } = context;
  if (changes.guestOsId && !(await hasGuestOs(db, changes.guestOsId))) {
    throw noSuchEntity(command, 'ostypeid', changes.guestOsId);
  }
  await updateTemplate(db, { id, userId: caller.userId, changes });
  return listTemplates(db, caller, { ...ANY_IMAGE, isIso: !isDiskFormat(format), ids: [id] }, { limit: 1, offset: 0 });
}
