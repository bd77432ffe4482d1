import { stat } from 'node:fs/promises';
import { detectFormat } from '../../kvm/image/detect-format.js';
import { inspectImage } from '../../kvm/image/inspect-image.js';
import type { InspectCommand } from './arguments.js';
import type { InspectResult } from './results.js';
import { unreadable, usageError } from './usage-error.js';

/** Judges a file of this host as an image. */
export async function inspectFile({ file, format }: InspectCommand): Promise<InspectResult> {
  const found = await stat(file).catch((error: unknown) => {
    throw unreadable('The file', file, error);
  });
  if (!found.isFile()) throw usageError(`${file} is not a regular file`);
  const inspection = await inspectImage(file, format ?? (await detectFormat(file)).format);
  return {
    command: 'inspect',
    isOk: true,
    path: file,
    format: inspection.format,
    virtualSizeBytes: inspection.virtualSizeBytes,
    sizeBytes: inspection.physicalSizeBytes,
  };
}
