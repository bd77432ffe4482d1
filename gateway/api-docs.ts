import { type Command, envelopeOf, isAsync } from './commands/define-command.js';
import { markdownLines as lines, markdownTable as table } from './markdown.js';
import type { Fields } from './protocol/fields.js';

/**
 * The reference of the API, from the commands' declarations.
 *
 * @returns Markdown by file name
 */
export function apiDocs(commands: readonly Command[]): Map<string, string> {
  const sorted = commands.toSorted((left, right) => (left.name < right.name ? -1 : 1));
  return new Map([
    ['README.md', index(sorted)],
    ...sorted.map((command) => [`${command.name}.md`, page(command)] as const),
  ]);
}

const index = (commands: readonly Command[]): string =>
  lines(
    '# API',
    'One endpoint, `/client/api`, by GET or by POST of a form. Requests are signed as in CloudStack, signature version 1 or 3. ' +
      'Responses are XML, or JSON with `response=json`. Names of parameters are matched without regard to case.',
    'Parameters that Slipway does not know are ignored, as in CloudStack. A parameter of CloudStack that Slipway does not ' +
      'support yet and that would change the outcome makes a call that gives it fail with error 431.',
    table(
      ['Command', 'Answers with', 'For', 'What it does'],
      commands.map((command) => [
        `[${command.name}](${command.name}.md)`,
        isAsync(command) ? 'a job' : command.kind === 'list' ? 'a list' : 'an object',
        command.allowedRoles.includes('User')
          ? 'everybody'
          : command.allowedRoles.includes('DomainAdmin')
            ? 'administrators'
            : 'root admins',
        command.description,
      ]),
    ),
  );

const page = (command: Command): string =>
  lines(
    `# ${command.name}`,
    command.description,
    isAsync(command)
      ? 'Answers with the id of a job; `queryAsyncJobResult` gives its result, the object below.'
      : `Envelope: \`${envelopeOf(command)}\`${command.kind === 'list' ? `, a list of \`${command.response.objectName}\`` : ''}.`,
    '## Parameters',
    table(
      ['Name', 'Type', 'Required', 'Since', 'What it is'],
      Object.entries(command.params).map(([name, parameter]) => [
        `\`${name}\``,
        parameter.type,
        parameter.isRequired ? 'yes' : '',
        parameter.since ?? '',
        parameter.description,
      ]),
    ),
    '## Response',
    table(['Key', 'Type', 'What it is'], fieldRows(command.response.fields, '')),
  );

const fieldRows = (fields: Fields, prefix: string): string[][] =>
  Object.entries(fields).flatMap(([name, { type, description, fields: nested }]) => [
    [`\`${prefix}${name}\``, type, description],
    ...(nested ? fieldRows(nested, `${prefix}${name}${type === 'list' ? '[]' : ''}.`) : []),
  ]);
