import type { DeployableTemplate } from '../../../db/reads/find-deployment-parts.js';
import { SlipwayError } from '../../../shared/errors.js';
import { isDiskFormat } from '../../../shared/images.js';

/**
 * Whatever a root disk is to be made from.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID, in CloudStack's words, for a system template and for an ISO that no
 *   guest boots from
 */
export function requireForUsers({ id, name, type, format, bootable }: DeployableTemplate): void {
  if (type === 'SYSTEM') {
    throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `Unable to use system template ${name} to deploy a user vm`);
  }
  if (!isDiskFormat(format) && !bootable) {
    throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `Installing from ISO requires an ISO that is bootable: ${id}`);
  }
}
