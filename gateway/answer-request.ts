import { isSlipwayError } from '../shared/errors.js';
import { authenticate } from './auth/authenticate.js';
import type { CommandDependencies } from './commands/define-command.js';
import { findCommand } from './commands/index.js';
import { apiErrorOf } from './protocol/api-error.js';
import { renderAnswer, type RenderedAnswer, type ResponseBody } from './protocol/envelope.js';
import { readFormat, readParameters } from './protocol/request-parameters.js';
import { unknownCommand } from './protocol/standard-texts.js';

export interface ApiAnswer extends RenderedAnswer {
  status: number;
  /** Text of an error; CloudStack repeats it in a header. */
  description?: string;
  /** For the log: a command that exists, never what a stranger wrote. */
  command?: string;
  accountId?: string;
  /** Only what a caller is not told: a defect. */
  defect?: unknown;
}

/**
 * One request of the CloudStack API, from its texts to the rendered answer.
 *
 * @param texts query string and form body, still encoded
 */
export async function answerRequest(
  dependencies: CommandDependencies,
  { texts, requestId }: { texts: string[]; requestId: string },
): Promise<ApiAnswer> {
  const format = readFormat(...texts);
  const log: Pick<ApiAnswer, 'command' | 'accountId'> = {};
  const render = (body: ResponseBody) =>
    renderAnswer(format, log.command ? `${log.command.toLowerCase()}response` : 'errorresponse', body);
  try {
    const parameters = readParameters(...texts);
    const command = findCommand(parameters.get('command') ?? '');
    log.command = command?.name;
    const caller = await authenticate(dependencies, parameters);
    log.accountId = caller.accountId;
    if (!command?.allowedRoles.includes(caller.role)) throw unknownCommand();
    const context = { ...dependencies, caller, command: command.name.toLowerCase() };
    return { status: 200, ...render(await command.run(parameters, context)), ...log };
  } catch (error) {
    const body = apiErrorOf(error, requestId);
    return {
      status: body.errorcode,
      description: body.errortext,
      ...render(body),
      ...log,
      defect: isForCaller(error) ? undefined : error,
    };
  }
}

/** What a caller can do something about is no defect of this server. */
const isForCaller = (error: unknown): boolean =>
  isSlipwayError(error) && error.code !== 'SLIPWAY_INTERNAL' && error.code !== 'SLIPWAY_UNAVAILABLE';
