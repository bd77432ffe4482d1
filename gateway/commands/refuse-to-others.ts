import type { Caller } from '../../db/reads/find-caller.js';
import { SlipwayError } from '../../shared/errors.js';

/**
 * For parameters by which a caller would learn where things are, or say where they are to be.
 *
 * @throws SlipwayError SLIPWAY_PERMISSION_DENIED in CloudStack's words, of the first that anybody but a root admin gives
 */
export function refuseToOthers(parameters: Record<string, unknown>, { role }: Caller): void {
  if (role === 'Admin') return;
  const name = Object.keys(parameters).find((one) => parameters[one] !== undefined);
  if (name === undefined) return;
  throw new SlipwayError(
    'SLIPWAY_PERMISSION_DENIED',
    `Parameter ${name} can only be specified by a Root Admin, permission denied`,
  );
}
