import { invalid } from './invalid.js';
import type { RequestParameters } from './request-parameters.js';
import { quotable } from './standard-texts.js';

/**
 * To ignore what is no entry of a map would be to do for all what was meant for some: `deleteTags` without tags deletes all
 * of them.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID
 */
export function refuseOutsideMap(parameters: RequestParameters, name: string): void {
  const given = parameters.findOutsideMap(name);
  if (given === undefined) return;
  throw invalid(`Parameter ${quotable(given)} is no entry of a map: give it as ${name}[0].key=value`);
}
