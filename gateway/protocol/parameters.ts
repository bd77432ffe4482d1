import { refuseOutsideMap } from './refuse-outside-map.js';
import type { RequestParameters } from './request-parameters.js';
import { invalidValue, missingParameter, noSuchEntity, tooLong } from './standard-texts.js';

/** CloudStack's names of types, as listApis shows them. */
export type ParameterType = 'string' | 'uuid' | 'integer' | 'long' | 'boolean' | 'list' | 'map' | 'date';

/** One declared parameter; its name is its key in the declaration. */
export interface Parameter<Value> {
  type: ParameterType;
  description: string;
  isRequired: boolean;
  /** Characters. */
  maxLength: number;
  /** CloudStack release that has it first. */
  since?: string;
  /** @throws SlipwayError with CloudStack's text for what is wrong */
  read(parameters: RequestParameters, name: string, command: string): Value;
}

/** What a handler gets for a declaration of parameters. */
export type ArgumentsOf<Parameters> = {
  [Name in keyof Parameters]: Parameters[Name] extends Parameter<infer Value> ? Value : never;
};

interface Options {
  maxLength?: number;
  since?: string;
}

type ParseText<Value> = (text: string, name: string, command: string) => Value;

/** CloudStack's limit where a command declares none. */
const DEFAULT_MAX_LENGTH = 255;

function scalar<Value>(
  type: ParameterType,
  description: string,
  { maxLength = DEFAULT_MAX_LENGTH, since }: Options,
  parse: ParseText<Value>,
): Parameter<Value | undefined> {
  return {
    type,
    description,
    isRequired: false,
    maxLength,
    since,
    read(parameters, name, command) {
      // As CloudStack does: to ignore it would be to list, or to change, more than was meant.
      const indexed = parameters.findIndexed(name);
      if (indexed !== undefined) throw invalidValue(command, name, indexed);
      const text = parameters.get(name);
      // An empty value is a value that was not given: forms send every field.
      if (text === undefined || text === '') return undefined;
      if (text.length > maxLength) throw tooLong(name, maxLength);
      return parse(text, name, command);
    },
  };
}

export const string = (description: string, options: Options = {}) =>
  scalar('string', description, options, (text) => text);

/** For where an empty value says something else than none. */
export const stringOrEmpty = (description: string, options: Options = {}): Parameter<string | undefined> => {
  const parameter = string(description, options);
  return {
    ...parameter,
    read: (parameters, name, command) => (parameters.get(name) === '' ? '' : parameter.read(parameters, name, command)),
  };
};

/** One of a few words, in any case; the handler gets the word as it is declared. */
export const oneOf = <const Words extends readonly string[]>(
  words: Words,
  description: string,
  options: Options = {},
): Parameter<Words[number] | undefined> =>
  scalar<Words[number]>('string', `${description} One of ${words.join(', ')}.`, options, (text, name, command) => {
    const word = words.find((candidate) => candidate.toLowerCase() === text.toLowerCase());
    if (word === undefined) throw invalidValue(command, name, text);
    return word;
  });

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const parseUuid: ParseText<string> = (text, name, command) => {
  if (!UUID.test(text)) throw noSuchEntity(command, name, text);
  return text.toLowerCase();
};

export const uuid = (description: string, options: Options = {}) => scalar('uuid', description, options, parseUuid);

/** CloudStack's way to say "every zone". */
export const ALL_ZONES = '-1';

const parseZone: ParseText<string> = (text, name, command) =>
  text === ALL_ZONES ? text : parseUuid(text, name, command);

export const zoneOrAll = (description: string) => scalar('uuid', description, {}, parseZone);

/** As many ids as a page has entries. */
const LIST_MAX_LENGTH = 500 * 37;

const list = (description: string, options: Options, parse: ParseText<string>) =>
  scalar('list', description, { maxLength: LIST_MAX_LENGTH, ...options }, (text, name, command) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
      .map((item) => parse(item, name, command)),
  );

export const uuids = (description: string, options: Options = {}) => list(description, options, parseUuid);
/** Names, none of which has a comma. */
export const names = (description: string, options: Options = {}) =>
  list(description, options, (text, name) => {
    if (text.length > DEFAULT_MAX_LENGTH) throw tooLong(name, DEFAULT_MAX_LENGTH);
    return text;
  });
export const zonesOrAll = (description: string) => list(description, {}, parseZone);

/** 32 bits, as CloudStack's integers are. */
export const integer = (description: string, options: Options & { min?: number; max?: number } = {}) =>
  scalar('integer', description, options, (text, name, command) => {
    const value = Number(text);
    const { min = -(2 ** 31), max = 2 ** 31 - 1 } = options;
    if (!/^[+-]?\d+$/.test(text) || value < min || value > max) throw invalidValue(command, name, text);
    return value;
  });

/** A whole number that may need more than 32 bits. */
export const long = (description: string, options: Options & { min: number; max: number }) => ({
  ...integer(description, options),
  type: 'long' as const,
});

export const boolean = (description: string, options: Options = {}) =>
  scalar('boolean', description, options, (text, name, command) => {
    const word = text.toLowerCase();
    // CloudStack takes anything else for false: a typing error would silently do the opposite.
    if (word !== 'true' && word !== 'false') throw invalidValue(command, name, text);
    return word === 'true';
  });

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const DATE_TIME = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(Z|[+-]\d{2}:?\d{2})?$/;

/**
 * A day, or a time of one, in UTC where it names no offset.
 *
 * @param options.isEnd a day stands for its end, not for its beginning
 */
export const date = (description: string, { isEnd = false, ...options }: Options & { isEnd?: boolean } = {}) =>
  scalar('date', description, options, (text, name, command) => {
    const [, day, time, offset = 'Z'] =
      DATE_TIME.exec(DAY.test(text) ? `${text} ${isEnd ? '23:59:59' : '00:00:00'}` : text) ?? [];
    // Lists show whole seconds: what they show at this very time is meant too.
    const value = new Date(`${day}T${time}${isEnd ? '.999' : ''}${offset}`);
    // JavaScript finds a date in `undefinedTundefined.999Z`, too.
    if (day === undefined || Number.isNaN(value.getTime()) || !isDay(day)) throw invalidValue(command, name, text);
    return value;
  });

/** JavaScript takes the 30th of February for the 2nd of March: events would be deleted that nobody meant. */
const isDay = (day: string): boolean => new Date(day).toISOString().startsWith(day);

/**
 * A detail's name becomes a key of JSON and an element of XML, where a colon would be a prefix that nobody declared: a
 * reader that knows namespaces would refuse the whole list.
 */
const DETAIL_NAME = /^[a-z][a-z0-9._-]*$/i;

export const map = (description: string): Parameter<{ name: string; value: string }[]> => ({
  type: 'map',
  description,
  isRequired: false,
  maxLength: DEFAULT_MAX_LENGTH,
  read(parameters, parameter, command) {
    refuseOutsideMap(parameters, parameter);
    return parameters.getMap(parameter).map(([name, value]) => {
      if (!DETAIL_NAME.test(name)) throw invalidValue(command, parameter, name);
      if (value.length > DEFAULT_MAX_LENGTH) throw tooLong(`${parameter}.${name}`, DEFAULT_MAX_LENGTH);
      return { name, value };
    });
  },
});

export const required = <Value>(parameter: Parameter<Value | undefined>): Parameter<Value> => ({
  ...parameter,
  isRequired: true,
  read(parameters, name, command) {
    const value = parameter.read(parameters, name, command);
    if (value === undefined) throw missingParameter(command, name);
    return value;
  },
});

export const withDefault = <Value>(parameter: Parameter<Value | undefined>, value: Value): Parameter<Value> => ({
  ...parameter,
  read: (parameters, name, command) => parameter.read(parameters, name, command) ?? value,
});
