import { invalid } from './invalid.js';
import { type Parameter, string } from './parameters.js';

/** Characters of CloudStack's parameter, which none that fits reaches. */
const MAX_TEXT_LENGTH = 1_048_576;
/**
 * CloudStack's `vm.userdata.max.length`: decoded, in bytes. What a VM is given stands, sealed, in the history of each try
 * to start it: much more would fill the history.
 */
const MAX_SIZE_BYTES = 32_768;

/** With `=+` a text of a million `=` that does not end in one would hold the gateway up for minutes. */
const PADDING = /={1,2}$/;

/** Bytes that a guest reads at its first boot; the handler gets them in plain base64. */
export function userData(description: string, { since }: { since?: string } = {}): Parameter<string | undefined> {
  const text = string(
    `${description} In base64, at most ${MAX_SIZE_BYTES} bytes; send it in a form body, since a URL has no room for much.`,
    { maxLength: MAX_TEXT_LENGTH, since },
  );
  return {
    ...text,
    read(parameters, name, command) {
      const given = text.read(parameters, name, command);
      return given === undefined ? undefined : parseUserData(given);
    },
  };
}

/**
 * @returns the same bytes in plain base64: alphabet of RFC 4648, 4, padded, on one line
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID. The text has nothing of the user data, which may hold passwords
 */
export function parseUserData(text: string): string {
  // `base64` of a shell breaks lines at 76 characters.
  const given = text
    .replace(/[\r\n\t]/g, '')
    .replace(PADDING, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/');
  const bytes = decode(given);
  if (!bytes) {
    // To skip the space, as CloudStack does, would be to give the guest other bytes than were sent.
    throw decode(given.replaceAll(' ', '+'))
      ? invalid('User data has a space: encode each + of the base64 as %2B in the request')
      : invalid('User data is not base64 encoded');
  }
  if (bytes.length === 0) throw invalid('User data is too short');
  if (bytes.length > MAX_SIZE_BYTES) {
    throw invalid(`User data is too long: at most ${MAX_SIZE_BYTES} bytes are allowed`);
  }
  return bytes.toString('base64');
}

/** @param base64 without padding */
function decode(base64: string): Buffer | undefined {
  const bytes = Buffer.from(base64, 'base64');
  // Buffer skips what is not base64; the round trip notices.
  return bytes.toString('base64').replace(PADDING, '') === base64 ? bytes : undefined;
}
