import type { Caller } from '../db/reads/find-caller.js';
import { isSlipwayError, type SlipwayError } from '../shared/errors.js';
import { authenticate, stillKnown } from './auth/authenticate.js';
import { readToken } from './auth/cookies.js';
import { type LoginRequest, logIn } from './auth/log-in.js';
import { logOut } from './auth/log-out.js';
import { openCaller } from './auth/open-port.js';
import { requirePost } from './auth/require-post.js';
import { type CommandDependencies, envelopeOf } from './commands/define-command.js';
import { whyAbsent } from './commands/absent-commands.js';
import { findCommand } from './commands/index.js';
import type { AccountThrottle } from './limits/account-throttle.js';
import type { RecentSettings } from './limits/recent-settings.js';
import type { StrangerThrottle } from './limits/stranger-throttle.js';
import { apiErrorOf } from './protocol/api-error.js';
import { renderAnswer, type RenderedAnswer, type ResponseBody } from './protocol/envelope.js';
import { readFormat, readParameters, type RequestParameters } from './protocol/request-parameters.js';
import { unknownCommand } from './protocol/standard-texts.js';

export interface ApiAnswer extends RenderedAnswer {
  status: number;
  /** Text of an error; CloudStack repeats it in a header. */
  description?: string;
  /** For the log: a command that exists, never what a stranger wrote. */
  command?: string;
  accountId?: string;
  /** `Set-Cookie` headers. */
  cookies?: string[];
  /** Only what a caller is not told: a defect. */
  defect?: unknown;
  /** Why, where the caller was told in other words: for the log. */
  reason?: string;
}

interface Call extends LoginRequest {
  /** Query string and form body, still encoded. */
  texts: string[];
  requestId: string;
  /** The header. */
  cookie: string | undefined;
  /** Nobody has to say who they are: whoever reaches the port is a root admin. */
  isOpen: boolean;
  settings: RecentSettings;
  accounts: AccountThrottle;
  strangers: StrangerThrottle;
}

/** One request of the CloudStack API, from its texts to the rendered answer. */
export async function answerRequest(dependencies: CommandDependencies, call: Call): Promise<ApiAnswer> {
  const { texts, requestId, accounts, settings } = call;
  const format = readFormat(...texts);
  const log: Pick<ApiAnswer, 'command' | 'accountId'> = {};
  let envelope = 'errorresponse';
  let role: Caller['role'] | undefined;
  const render = (body: ResponseBody) => renderAnswer(format, envelope, body);
  try {
    const parameters = readParameters(...texts);
    const entry = findEntry(parameters.get('command') ?? '');
    if (entry) {
      log.command = entry;
      envelope = `${entry}response`;
      const { body, cookies, accountId } = await ENTRIES[entry](dependencies, parameters, call);
      return { status: 200, ...render(body), ...log, cookies, accountId };
    }
    const command = findCommand(parameters.get('command') ?? '');
    log.command = command?.name;
    if (command) envelope = envelopeOf(command);
    const caller = await callerOf(dependencies, call, parameters);
    log.accountId = caller.accountId;
    role = caller.role;
    await accounts.count(caller);
    if (!command) throw unknownCommand(whyAbsent(parameters.get('command') ?? ''));
    if (await isStrict(call)) requirePost(command.name, call.method);
    if (!command.allowedRoles.includes(caller.role)) throw unknownCommand();
    const context = { ...dependencies, accounts, settings, caller, command: command.name.toLowerCase() };
    return { status: 200, ...render(await command.run(parameters, context)), ...log };
  } catch (error) {
    const body = apiErrorOf(error, requestId, role);
    return {
      status: body.errorcode,
      description: body.errortext,
      ...render(body),
      ...log,
      defect: isForCaller(error) ? undefined : error,
      reason: isForCaller(error) && body.errortext !== error.message ? error.message : undefined,
    };
  }
}

/** What is no command of the API, as in CloudStack: it comes before anybody is known, or sets cookies. */
const ENTRIES = { login: logIn, logout: logOut };

const findEntry = (name: string): keyof typeof ENTRIES | undefined =>
  (['login', 'logout'] as const).find((entry) => entry === name.toLowerCase());

/** Who calls, once it is clear that they are who they say. */
export async function callerOf(
  dependencies: CommandDependencies,
  call: Pick<Call, 'address' | 'strangers' | 'cookie' | 'isOpen' | 'settings'>,
  parameters: RequestParameters,
): Promise<Caller> {
  const { address, strangers, cookie, isOpen } = call;
  if (isOpen) return openCaller(dependencies);
  const credential = parameters.get('apikey') ?? readToken(cookie);
  strangers.admit(address, credential);
  try {
    const caller = await authenticate(dependencies, parameters, { cookie, isStrict: await isStrict(call) });
    strangers.knows(address, credential);
    return caller;
  } catch (error) {
    if (isSlipwayError(error) && error.code === 'SLIPWAY_UNAUTHENTICATED') strangers.counts(address);
    throw error;
  }
}

/** Whether the installation lets in no more than it has to. */
const isStrict = async ({ settings }: Pick<Call, 'settings'>): Promise<boolean> =>
  (await settings())['enforce.post.requests.and.timestamps'] === 'true';

/** Who a call is of that was let in before, if they may still call. */
export const knownCaller = (
  dependencies: CommandDependencies,
  { cookie, isOpen }: Pick<Call, 'cookie' | 'isOpen'>,
  parameters: RequestParameters,
): Promise<Caller | undefined> => (isOpen ? openCaller(dependencies) : stillKnown(dependencies.db, parameters, cookie));

/** What a caller can do something about is no defect of this server. */
const isForCaller = (error: unknown): error is SlipwayError =>
  isSlipwayError(error) && error.code !== 'SLIPWAY_INTERNAL' && error.code !== 'SLIPWAY_UNAVAILABLE';
