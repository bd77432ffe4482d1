import { SlipwayError } from '../../shared/errors.js';

/** RFC 1035: a label that begins with a letter. */
const HOST_NAME = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/i;

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID in CloudStack's words when a guest cannot call itself that */
export function checkHostName(name: string): void {
  if (HOST_NAME.test(name)) return;
  throw new SlipwayError(
    'SLIPWAY_PARAMETER_INVALID',
    "Invalid name. Vm name can contain ASCII letters 'a' through 'z', the digits '0' through '9', and the hyphen ('-'), " +
      'must be between 1 and 63 characters long, and can\'t start or end with "-" and can\'t start with digit',
  );
}
