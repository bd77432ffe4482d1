import type { DeployableTemplate } from '../../../db/reads/find-deployment-parts.js';
import { toBytes } from '../disk-size.js';
import type { CommandContext } from '../define-command.js';
import { offeredDisk } from './offered-disk.js';
import { invalid } from '../../protocol/invalid.js';

interface Sizes {
  diskofferingid?: string;
  /** GiB. */
  size?: number;
  /** GiB. */
  rootdisksize?: number;
}

interface RootDisk {
  sizeBytes?: number;
  diskOfferingId?: string;
}

type Template = Pick<DeployableTemplate, 'name' | 'format' | 'sizeBytes'>;

/**
 * How large the root disk is to be. Texts are CloudStack's where it has one.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID
 */
export async function rootDiskOf(sizes: Sizes, template: Template, context: CommandContext): Promise<RootDisk> {
  return template.format === 'ISO' ? blankDisk(sizes, context) : diskOfTemplate(sizes, template);
}

function diskOfTemplate({ diskofferingid, size, rootdisksize }: Sizes, template: Template): RootDisk {
  if (diskofferingid !== undefined || size !== undefined) {
    throw invalid(
      'Parameters diskofferingid and size ask for a data disk beside the template, and Slipway has none yet; ' +
        'rootdisksize makes the root disk larger',
    );
  }
  if (rootdisksize === undefined) return {};
  const sizeBytes = toBytes(rootdisksize);
  if (template.sizeBytes !== null && sizeBytes < template.sizeBytes) {
    throw invalid(
      `Unsupported: rootdisksize override (${rootdisksize} GB) is smaller than template size ` +
        `(${(template.sizeBytes / toBytes(1)).toFixed(2)} GB)`,
    );
  }
  return { sizeBytes };
}

function blankDisk({ diskofferingid, size, rootdisksize }: Sizes, context: CommandContext): Promise<RootDisk> {
  if (diskofferingid === undefined) {
    throw invalid('Installing from ISO requires a disk offering to be specified for the root disk.');
  }
  if (rootdisksize !== undefined) {
    throw invalid('Parameter rootdisksize is for templates: the disk offering says how large the disk of an ISO is');
  }
  return offeredDisk({ diskOfferingId: diskofferingid, sizeGib: size }, context);
}
