import { SlipwayError } from '../shared/errors.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Of what comes from elsewhere, and may be no text: a list of one is turned into that one by `test`. */
export const isUuid = (text: string): boolean => typeof text === 'string' && UUID.test(text);

/** Ids become file and domain names: one with a slash or a dash in front would become a path or an option. */
export function assertUuid(text: string, name: string): void {
  if (!isUuid(text)) throw new SlipwayError('SLIPWAY_INTERNAL', `The ${name} is not a lower-case UUID`);
}
