import { MOST_TAGS } from '../../db/resource-tags.js';
import { invalid } from './invalid.js';
import { refuseOutsideMap } from './refuse-outside-map.js';
import type { Parameter } from './parameters.js';
import { tooLong } from './standard-texts.js';

const MAX_LENGTH = 255;

interface KeyAndValue {
  key: string;
  value?: string;
}

/**
 * CloudStack's map of tags: `tags[0].key=colour&tags[0].value=red`, each index a tag.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID
 */
export const keysAndValues = (description: string): Parameter<KeyAndValue[] | undefined> => ({
  type: 'map',
  description,
  isRequired: false,
  maxLength: MAX_LENGTH,
  read(parameters, name) {
    refuseOutsideMap(parameters, name);
    const rows = parameters.getRows(name);
    if (rows.length === 0) return undefined;
    if (rows.length > MOST_TAGS) throw invalid(`Parameter ${name} has more than ${MOST_TAGS} tags`);
    const pairs = rows.map((row): KeyAndValue => {
      const { key = '', value } = Object.fromEntries(row) as Partial<KeyAndValue>;
      if (key === '') throw invalid(`A tag in parameter ${name} has no key`);
      if (key.length > MAX_LENGTH) throw tooLong(`${name}.key`, MAX_LENGTH);
      if (value !== undefined && value.length > MAX_LENGTH) throw tooLong(`${name}.value`, MAX_LENGTH);
      return value === undefined || value === '' ? { key } : { key, value };
    });
    if (new Set(pairs.map(({ key }) => key)).size < pairs.length)
      throw invalid(`A key in parameter ${name} comes twice`);
    return pairs;
  },
});

/** The same, where every tag has a value. */
export const tagPairs = (description: string): Parameter<Required<KeyAndValue>[] | undefined> => {
  const pairs = keysAndValues(description);
  return {
    ...pairs,
    read: (parameters, name, command) =>
      pairs.read(parameters, name, command)?.map(({ key, value }) => {
        if (value === undefined) throw invalid(`Value for the key ${key} is either null or empty`);
        return { key, value };
      }),
  };
};
