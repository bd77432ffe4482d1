import { isIP } from 'node:net';
import { type Parameter, string, stringOrEmpty } from './parameters.js';
import { invalidValue } from './standard-texts.js';

const address = (text: Parameter<string | undefined>, version: 4 | 6): Parameter<string | undefined> => ({
  ...text,
  read(parameters, name, command) {
    const given = text.read(parameters, name, command);
    if (given !== undefined && given !== '' && isIP(given) !== version) throw invalidValue(command, name, given);
    return given;
  },
});

export const ipv4 = (description: string) => address(string(description), 4);
export const ipv6 = (description: string) => address(string(description), 6);

/** In place of the one that something has: an empty value says that it is to have none. */
export const newIpv4 = (description: string) => address(stringOrEmpty(`${description} Empty for none.`), 4);
export const newIpv6 = (description: string) => address(stringOrEmpty(`${description} Empty for none.`), 6);
