import { SlipwayError } from '../../shared/errors.js';
import { type Parameter, string } from './parameters.js';

/** Characters of CloudStack's parameter, which none that fits reaches. */
const MAX_TEXT_LENGTH = 1_048_576;
/** CloudStack's `vm.userdata.max.length`: decoded, in bytes. */
const MAX_SIZE_BYTES = 32_768;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Bytes that a guest reads at its first boot: base64, which the handler gets without line breaks. */
export function userData(description: string): Parameter<string | undefined> {
  const text = string(`${description} In base64, at most ${MAX_SIZE_BYTES} bytes.`, { maxLength: MAX_TEXT_LENGTH });
  return {
    ...text,
    read(parameters, name, command) {
      const given = text.read(parameters, name, command)?.replace(/\s+/g, '');
      if (given === undefined) return undefined;
      if (!BASE64.test(given)) throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', 'User data is not base64 encoded');
      if (Buffer.from(given, 'base64').length > MAX_SIZE_BYTES) {
        throw new SlipwayError(
          'SLIPWAY_PARAMETER_INVALID',
          `User data is too long: at most ${MAX_SIZE_BYTES} bytes are allowed`,
        );
      }
      return given;
    },
  };
}
