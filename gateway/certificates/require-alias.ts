import { SlipwayError } from '../../shared/errors.js';

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/** @throws SlipwayError SLIPWAY_CERTIFICATE_INVALID for a name that CloudStack takes for no alias */
export function requireAlias(alias: string): void {
  if (/^cloud(?:$|ca)/i.test(alias)) throw invalid('Please provide a different alias name for the certificate');
  if (!LABEL.test(alias)) {
    throw invalid(
      'The name of a certificate has to be a DNS label: 1 to 63 letters, digits and hyphens, with no hyphen at either end',
    );
  }
}

const invalid = (message: string) => new SlipwayError('SLIPWAY_CERTIFICATE_INVALID', message);
