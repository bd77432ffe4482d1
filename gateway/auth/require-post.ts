import { SlipwayError } from '../../shared/errors.js';

/** CloudStack tells by the name, too, which commands change nothing. */
const CHANGES_NOTHING = /^(?:list|get|query|find)[A-Z]/;

/**
 * For an installation whose `enforce.post.requests.and.timestamps` is true: a link that is followed, and a URL that stands
 * in a log, then change nothing.
 *
 * @throws SlipwayError SLIPWAY_METHOD_NOT_ALLOWED in CloudStack's words
 */
export function requirePost(command: string, method: string): void {
  if (method === 'POST' || CHANGES_NOTHING.test(command)) return;
  throw new SlipwayError(
    'SLIPWAY_METHOD_NOT_ALLOWED',
    `State changing command ${command} needs to be sent using POST request`,
  );
}
