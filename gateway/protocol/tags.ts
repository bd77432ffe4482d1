import { type Parameter, string, stringOrEmpty } from './parameters.js';

const MAX_TEXT_LENGTH = 4096;

/** Of a comma-separated list: each once, in the order given. */
const tagsOf = (text: string): string[] => [
  ...new Set(
    text
      .split(',')
      .map((tag) => tag.trim())
      .filter((tag) => tag !== ''),
  ),
];

const listed = (text: Parameter<string | undefined>): Parameter<string[] | undefined> => ({
  ...text,
  read(parameters, name, command) {
    const given = text.read(parameters, name, command);
    return given === undefined ? undefined : tagsOf(given);
  },
});

export const tags = (description: string) =>
  listed(string(`${description}, comma separated.`, { maxLength: MAX_TEXT_LENGTH }));

/**
 * Tags in place of those that something has: an empty value says that it is to have none.
 *
 * @param options.type as CloudStack declares the parameter; what it takes is the same
 */
export const newTags = ({ since, type = 'list' }: { since?: string; type?: 'list' | 'string' } = {}): Parameter<
  string[] | undefined
> => ({
  ...listed(
    stringOrEmpty('Tags, comma separated, in place of those it has; empty for none.', {
      maxLength: MAX_TEXT_LENGTH,
      since,
    }),
  ),
  type,
});
