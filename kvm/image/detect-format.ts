import { SlipwayError } from '../../shared/errors.js';
import type { ImageFormat } from '../../shared/images.js';
import { withImageFile } from './image-file.js';

/**
 * Tells the format of a file from its content, for a person who did not name it. It is the format to inspect the file
 * as, not a verdict on it.
 *
 * @throws SlipwayError SLIPWAY_IMAGE_FORMAT when it is something else than an image that can be installed
 */
export function detectFormat(path: string): Promise<{ format: ImageFormat }> {
  return withImageFile(path, ({ marks }) => {
    const format = marks.length === 0 ? 'RAW' : marks.find((mark) => mark.format)?.format;
    if (format) return Promise.resolve({ format });
    throw new SlipwayError('SLIPWAY_IMAGE_FORMAT', `The file is no image that can be used: it is ${marks[0]?.name}`);
  });
}
