import { invalid } from '../protocol/invalid.js';

const DETAILS = ['all', 'resource', 'min'];

/**
 * Whether a list of accounts or domains is to have what they use: to count that takes time.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID
 */
export function isUsageWanted(details: readonly string[] = ['all']): boolean {
  const unknown = details.find((detail) => !DETAILS.includes(detail));
  if (unknown === undefined) return details.some((detail) => detail !== 'min');
  throw invalid(`The details parameter contains a non permitted value. The allowed values are ${DETAILS.join(', ')}`);
}
