/** Test support: the corpus of files that strangers could give out as images, each with the code it is refused with. */
import type { ImageFormat } from '../../shared/images.js';
import { FOREIGN, ISO_HEADERS, POLYGLOTS, RAW_SIZES } from './hostile-files.js';
import { BACKING_FILES, DATA_FILES, ENCRYPTED, FEATURES, HEADERS, REFUSED_BY_QEMU, SIZES } from './hostile-qcow2.js';
import { iso, qcow2, raw, type NamedFile, type SparseFile } from './image-builder.js';
import type { ImageProblem } from './image-problem.js';

type Code = ImageProblem['code'];

export interface HostileImage {
  name: string;
  file: SparseFile;
  format: ImageFormat;
  code: Code;
}

const ZEROS = raw(1024 ** 2);

const rows = (format: ImageFormat, code: Code, from: NamedFile[]): HostileImage[] =>
  from.map(([name, file]) => ({ name: `${format} with ${name}`, file, format, code }));

export const HOSTILE_IMAGES: readonly HostileImage[] = [
  ...rows('QCOW2', 'SLIPWAY_IMAGE_BACKING_FILE', BACKING_FILES),
  ...rows('QCOW2', 'SLIPWAY_IMAGE_DATA_FILE', DATA_FILES),
  ...rows('QCOW2', 'SLIPWAY_IMAGE_FEATURES', FEATURES),
  ...rows('QCOW2', 'SLIPWAY_IMAGE_ENCRYPTED', ENCRYPTED),
  ...rows('QCOW2', 'SLIPWAY_IMAGE_SIZE', SIZES),
  ...rows('QCOW2', 'SLIPWAY_IMAGE_HEADER', HEADERS),
  ...rows('QCOW2', 'SLIPWAY_IMAGE_REFUSED', REFUSED_BY_QEMU),
  ...FOREIGN.map(([name, file]) => ({
    name: `RAW that is ${name}`,
    file,
    format: 'RAW' as const,
    code: 'SLIPWAY_IMAGE_FORMAT' as const,
  })),
  ...rows('RAW', 'SLIPWAY_IMAGE_SIZE', RAW_SIZES),
  ...POLYGLOTS.map(([name, format, file]) => ({ name, file, format, code: 'SLIPWAY_IMAGE_POLYGLOT' as const })),
  ...rows('ISO', 'SLIPWAY_IMAGE_HEADER', ISO_HEADERS),
  ...rows('ISO', 'SLIPWAY_IMAGE_SIZE', [
    ['an empty volume', iso({ blocks: 0 })],
    ['no bytes', raw(0)],
  ]),
  ...rows('ISO', 'SLIPWAY_IMAGE_FORMAT', [
    ['zeros', ZEROS],
    ['only a qcow2', qcow2()],
  ]),
  ...rows('QCOW2', 'SLIPWAY_IMAGE_FORMAT', [
    ['zeros', ZEROS],
    ['only an ISO', iso()],
  ]),
];
