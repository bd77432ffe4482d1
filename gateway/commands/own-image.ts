import { findImage, type Image } from '../../db/reads/find-image.js';
import { SlipwayError } from '../../shared/errors.js';
import { isDiskFormat } from '../../shared/images.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import type { CommandContext } from './define-command.js';

/** What the parameter `id` of a command names. */
export type ImageKind = 'template' | 'iso';

interface Wanted {
  id: string;
  /** Either when absent. */
  kind?: ImageKind;
  /** For the text of an error, as `change`. */
  doing: string;
}

/**
 * A template or an ISO that the caller may change.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_VALUE, SLIPWAY_PARAMETER_INVALID, SLIPWAY_PERMISSION_DENIED
 */
export async function ownImage({ id, kind, doing }: Wanted, { db, caller, command }: CommandContext): Promise<Image> {
  const image = await findImage(db, caller, id);
  if (!image) throw noSuchEntity(command, 'id', id);
  if (!image.isOwn) {
    throw new SlipwayError(
      'SLIPWAY_PERMISSION_DENIED',
      `Unable to ${doing} ${image.name}: only its owner and root admins may`,
    );
  }
  if (kind && kind !== kindOf(image)) {
    throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `Please specify a valid ${kind}.`);
  }
  return image;
}

const kindOf = ({ format }: Image): ImageKind => (isDiskFormat(format) ? 'template' : 'iso');
