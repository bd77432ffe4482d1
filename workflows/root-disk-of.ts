import { type ImageFormat, isDiskFormat } from '../shared/images.js';
import type { Deployment, RootDisk } from '../shared/virtual-machines.js';
import { toWorkflowFailure } from './failure-of.js';

const COPY_PATIENCE_MS = 2 * 60 * 60_000;

/** How much longer a host may take for a root disk: a copy reads and writes a whole template, beside other copies. */
export const diskPatienceMs = ({ isCopy }: Deployment['rootDisk']): number => (isCopy ? COPY_PATIENCE_MS : 0);

/** How the root disk of a VM comes to be from its template, or blank for what is installed from an ISO. */
export function rootDiskOf(
  { sizeBytes, isCopy }: Deployment['rootDisk'],
  { installPath, format }: { installPath: string; format: ImageFormat },
): RootDisk {
  if (isDiskFormat(format)) {
    return { type: isCopy ? 'copy' : 'overlay', template: installPath, templateFormat: format, sizeBytes };
  }
  return blankDisk({ sizeBytes });
}

/** For what is installed from an ISO. */
export function blankDisk({ sizeBytes }: Pick<Deployment['rootDisk'], 'sizeBytes'>): RootDisk {
  if (sizeBytes !== null) return { type: 'blank', sizeBytes };
  throw toWorkflowFailure({
    code: 'SLIPWAY_RESOURCE_STATE',
    message: 'A virtual machine from an ISO needs the size of its root disk',
  });
}
