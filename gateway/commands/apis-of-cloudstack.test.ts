import { CLOUDSTACK_COMMANDS } from '../../tests/support/cloudstack-commands.js';
import { isAsync } from './define-command.js';
import { findCommand } from './index.js';

/** Where Slipway means to differ. */
const DIFFERENT = [
  // CloudStack's has no since, though it came with that of registerTemplate.
  'updateTemplate.templatetype: since 4.19.0 for undefined',
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
