import { CLOUDSTACK_COMMANDS } from '../../tests/support/cloudstack-commands.js';
import { CLOUDSTACK_RESPONSES } from '../../tests/support/cloudstack-responses.js';
import type { Field, Fields } from '../protocol/fields.js';
import { type Command, isAsync } from './define-command.js';
import { COMMANDS, findCommand } from './index.js';

/** Where Slipway means to differ. */
const DIFFERENT = [
  // CloudStack's has no since, though it came with that of registerTemplate.
  'updateTemplate.templatetype: since 4.19.0 for undefined',
  // By its id too, as enableAccount and disableAccount take it.
  'lockAccount.account: not required',
  'lockAccount.domainid: not required',
  // Nothing has another id.
  'listEvents.resourceid: uuid for string',
  'listTags.resourceid: uuid for string',
  'listVolumes.storageid: uuid for string',
];
/** CloudStack calls it a string, and takes nothing but a UUID. */
const isJobId = (difference: string): boolean => difference === 'customjobid: uuid for string';

test.each(CLOUDSTACK_COMMANDS.map((command) => [command.name, command] as const))(
  '%s is declared as CloudStack declares it',
  (name, expected) => {
    const command = findCommand(name);
    expect(command?.name).toBe(name);
    expect(isAsync(command!)).toBe(expected.isAsync);
    const declared = Object.entries(command!.params).map(([parameter, { type, isRequired, maxLength, since }]) => ({
      name: parameter,
      type,
      isRequired,
      maxLength,
      since,
    }));
    const differences = expected.params.flatMap((wanted) => {
      const found = declared.find((one) => one.name === wanted.name);
      if (!found) return [`${wanted.name}: missing`];
      const { type, isRequired, since } = found;
      return [
        ...(type === wanted.type ? [] : [`${wanted.name}: ${type} for ${wanted.type}`]),
        ...(isRequired === wanted.isRequired ? [] : [`${wanted.name}: ${isRequired ? '' : 'not '}required`]),
        ...(wanted.length === undefined || found.maxLength === wanted.length
          ? []
          : [`${wanted.name}: ${found.maxLength} characters for ${wanted.length}`]),
        ...(since === wanted.since ? [] : [`${wanted.name}: since ${since} for ${wanted.since}`]),
      ];
    });
    const isMeant = (difference: string) => isJobId(difference) || DIFFERENT.includes(`${name}.${difference}`);
    expect(differences.filter((difference) => !isMeant(difference))).toEqual([]);
  },
);

/** Of a command that answers with one thing, the keys of the thing. */
function fieldsOf({ response: { objectName, fields } }: Command): Fields {
  const keys = Object.keys(fields);
  return keys.join() === objectName ? (fields[objectName]!.fields ?? fields) : fields;
}

const isSlipways = ({ description }: Field): boolean => /CloudStack has (not|no such key)/.test(description);

describe.each(
  COMMANDS.filter(({ response }) => CLOUDSTACK_RESPONSES.has(response.objectName)).map(
    (command) => [command.name, command] as const,
  ),
)('what %s answers', (name, command) => {
  test('has keys and types of CloudStack, or says that it has not', () => {
    const known = CLOUDSTACK_RESPONSES.get(command.response.objectName)!;
    const unlike = Object.entries(fieldsOf(command)).flatMap(([key, shown]) => {
      if (known.get(key) === shown.type || (!known.has(key) && isSlipways(shown))) return [];
      return [`${name}.${key}: ${shown.type} for ${known.get(key)}`];
    });
    expect(unlike).toEqual([]);
  });
});
