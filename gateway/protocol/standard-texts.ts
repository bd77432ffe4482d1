import { SlipwayError } from '../../shared/errors.js';

/** CloudStack's own texts, which clients and people search for. `command` is the command in lower case. */

export const missingParameter = (command: string, parameter: string): SlipwayError =>
  new SlipwayError(
    'SLIPWAY_PARAMETER_MISSING',
    `Unable to execute API command ${command} due to missing parameter ${parameter}`,
  );

export const invalidValue = (command: string, parameter: string, value: string): SlipwayError =>
  new SlipwayError(
    'SLIPWAY_PARAMETER_VALUE',
    `Unable to execute API command ${command} due to invalid value ${quotable(value)} for parameter ${parameter}`,
  );

export const noSuchEntity = (command: string, parameter: string, value: string): SlipwayError =>
  new SlipwayError(
    'SLIPWAY_PARAMETER_VALUE',
    `Unable to execute API command ${command} due to invalid value. Invalid parameter ${parameter} value=${quotable(value)} ` +
      'due to incorrect long value format, or entity does not exist or due to incorrect parameter annotation for the ' +
      'field in api cmd class.',
  );

export const tooLong = (parameter: string, maxLength: number): SlipwayError =>
  new SlipwayError(
    'SLIPWAY_PARAMETER_INVALID',
    `Value greater than max allowed length ${maxLength} for param: ${parameter}`,
  );

export const unsupportedParameter = (command: string, parameter: string): SlipwayError =>
  new SlipwayError(
    'SLIPWAY_PARAMETER_INVALID',
    `Unable to execute API command ${command}: Slipway does not support parameter ${parameter} yet, and to ignore it ` +
      'would do something else than was asked for',
  );

/** @param reason why Slipway does not have a command that CloudStack has */
export const unknownCommand = (reason?: string): SlipwayError =>
  new SlipwayError(
    'SLIPWAY_COMMAND_UNKNOWN',
    `The given command does not exist or it is not available for user${reason === undefined ? '' : `. ${reason}`}`,
  );

/** An error text is no place for a megabyte that somebody sent. */
export const quotable = (value: string): string => (value.length > 100 ? `${value.slice(0, 100)}…` : value);
