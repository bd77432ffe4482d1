import { SlipwayError } from '../../shared/errors.js';
import type { ResponseBody } from '../protocol/envelope.js';
import { field, type Fields } from '../protocol/fields.js';
import { string } from '../protocol/parameters.js';
import { type Command, defineCommand, EVERYBODY, isAsync } from './define-command.js';

const named = {
  name: field('string', 'Name.'),
  description: field('string', 'What it is.'),
  type: field('string', 'Type.'),
};

/** @param commands asked when listApis is called: it lists itself too */
export const createListApis = (commands: () => readonly Command[]): Command =>
  defineCommand({
    name: 'listApis',
    description:
      'Lists the commands that the caller may use. Parameters that Slipway does not know are ignored, as in CloudStack; ' +
      'a parameter of CloudStack that Slipway does not support yet and that would change the outcome is listed, says ' +
      'so in its description, and makes a call that gives it fail with error 431.',
    kind: 'list',
    allowedRoles: EVERYBODY,
    params: { name: string('Name of the one command to list.') },
    response: {
      objectName: 'api',
      fields: {
        name: field('string', 'Name of the command.'),
        description: field('string', 'What it does.'),
        isasync: field('boolean', 'Whether it answers with a job.'),
        since: field('string', 'CloudStack release that has it first.'),
        related: field('string', 'Commands about the same kind of thing, comma separated.'),
        params: field('list', 'Parameters.', {
          ...named,
          related: field('string', 'Commands that show what the parameter is an ID of, comma separated.'),
          length: field('integer', 'Longest value, in characters.'),
          required: field('boolean', 'Whether it must be given.'),
          since: field('string', 'CloudStack release that has it first.'),
        }),
        response: field('list', 'Keys of the response.', named),
      },
    },
    handle(args, { caller }) {
      const allowed = commands().filter(({ allowedRoles }) => allowedRoles.includes(caller.role));
      const wanted = args.name?.toLowerCase();
      const found = wanted === undefined ? allowed : allowed.filter(({ name }) => name.toLowerCase() === wanted);
      if (found.length === 0) {
        throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `There is no command ${args.name} that the caller may use`);
      }
      return Promise.resolve({ count: found.length, items: found.map(apisAmong(allowed)) });
    },
  });

/** With what is related among the commands that the caller may use. */
function apisAmong(allowed: readonly Command[]) {
  const about = new Map<string, string[]>();
  for (const { name, response } of allowed) {
    const names = about.get(response.objectName);
    if (names) names.push(name);
    else about.set(response.objectName, [name]);
  }
  const relatedTo = (object: string, without?: string): string | undefined =>
    about
      .get(object)
      ?.filter((name) => name !== without)
      .join(',') || undefined;

  return (command: Command) => ({
    name: command.name,
    description: command.description,
    isasync: isAsync(command),
    since: command.since,
    related: relatedTo(command.response.objectName, command.name),
    params: Object.entries(command.params).map(([name, parameter]) => ({
      name,
      description: parameter.description,
      type: parameter.type,
      length: parameter.maxLength,
      required: parameter.isRequired,
      since: parameter.since,
      related: relatedTo(objectOf(name, command)),
    })),
    response: responseOf(fieldsOf(command)),
  });
}

/** Parameters whose object is called otherwise than they are. */
const OBJECTS: Readonly<Record<string, string>> = { jobid: 'asyncjobs', storageid: 'storagepool' };

/** What a parameter is an id of. `id` is one of what the command is about, and its name says that. */
const objectOf = (parameter: string, { name, response }: Command): string => {
  if (parameter !== 'id' && parameter !== 'ids') return OBJECTS[parameter] ?? parameter.replace(/ids?$/, '');
  const noun = name.replace(/^[a-z]+/, '').toLowerCase();
  return response.objectName === 'success' ? noun : response.objectName;
};

/** As CloudStack lists them: of a command that answers with one thing, the keys of the thing. */
function fieldsOf({ response: { objectName, fields } }: Command): Fields {
  const [name, ...others] = Object.keys(fields);
  return name === objectName && others.length === 0 ? (fields[name]?.fields ?? fields) : fields;
}

const responseOf = (fields: Fields): ResponseBody[] =>
  Object.entries(fields).map(([name, { type, description, fields: nested }]) => ({
    name,
    description,
    type,
    // Keys of a map are no fields: generators would make them names of a language.
    response: type === 'map' ? undefined : nested && responseOf(nested),
  }));
