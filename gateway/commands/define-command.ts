import type { WorkflowCall } from '../../client/execute-workflow.js';
import type { Database } from '../../db/client.js';
import type { JobRow } from '../../db/jobs.js';
import type { Caller } from '../../db/reads/find-caller.js';
import type { SecretBox } from '../../db/secret-box.js';
import type { AccountThrottle } from '../limits/account-throttle.js';
import type { RecentSettings } from '../limits/recent-settings.js';
import type { ResponseBody } from '../protocol/envelope.js';
import type { Fields, ResponseOf } from '../protocol/fields.js';
import type { ArgumentsOf, Parameter } from '../protocol/parameters.js';
import type { RequestParameters } from '../protocol/request-parameters.js';

/** What commands are made to work with; built once, in main. */
export interface CommandDependencies {
  db: Database;
  secretBox: SecretBox;
  /** Never rejects: the job's row is the promise, and a sweeper starts what could not be started. */
  startJob(job: JobRow): Promise<unknown>;
  /** @throws SlipwayError when its workflow does not run, or Temporal does not answer */
  cancelJob(job: JobRow): Promise<void>;
  /** @throws SlipwayError of the workflow's failure */
  executeWorkflow(call: WorkflowCall): Promise<unknown>;
  /** Never rejects for Temporal. Waits for hosts, for 10 s at most. */
  provisionCertificates(certificate: { id: string; zoneId: string }, isSettled: () => Promise<boolean>): Promise<void>;
}

export interface CommandContext extends CommandDependencies {
  /** The limit on calls of accounts. */
  accounts: AccountThrottle;
  /** For what may be a few seconds old. */
  settings: RecentSettings;
  caller: Caller;
  /** In lower case, as error texts name it. */
  command: string;
}

/**
 * - `list`: `{"count":N,"<objectName>":[…]}`, `{"count":N}` behind the last page, `{}` when empty
 * - `sync`: the body as it is
 * - `async`: `{"jobid":…}`
 * - `asyncCreate`: `{"id":…,"jobid":…}`
 */
type CommandKind = 'list' | 'sync' | 'async' | 'asyncCreate';

interface Results<Declared extends Fields> {
  list: { count: number; items: ResponseOf<Declared>[] };
  sync: ResponseOf<Declared>;
  async: { jobid: string };
  asyncCreate: { id: string; jobid: string };
}

interface Definition<Kind extends CommandKind, Parameters, Declared extends Fields> {
  /** As CloudStack spells it. */
  name: string;
  description: string;
  kind: Kind;
  allowedRoles: readonly Caller['role'][];
  /** CloudStack release that has it first. */
  since?: string;
  /** What CloudStack wraps the answer in, where that is not `<name in lower case>response`. */
  envelope?: string;
  params: Parameters;
  /** What the command answers, or for an asynchronous command what its job results in. */
  response: { objectName: string; fields: Declared };
  handle: (args: ArgumentsOf<Parameters>, context: CommandContext) => Promise<Results<Declared>[Kind]>;
}

/** A command as the gateway, listApis and the documentation see it: all of it comes from the one declaration. */
export interface Command extends Omit<Definition<CommandKind, Record<string, Parameter<unknown>>, Fields>, 'handle'> {
  /**
   * Reads the parameters and answers.
   *
   * @returns the body inside the envelope
   */
  run(parameters: RequestParameters, context: CommandContext): Promise<ResponseBody>;
}

export const EVERYBODY = ['User', 'DomainAdmin', 'Admin'] as const;
/** A domain admin for what is in the domain and below. */
export const ADMINS = ['DomainAdmin', 'Admin'] as const;
export const ADMIN_ONLY = ['Admin'] as const;

export function defineCommand<
  const Kind extends CommandKind,
  Parameters extends Record<string, Parameter<unknown>>,
  const Declared extends Fields,
>(definition: Definition<Kind, Parameters, Declared>): Command {
  const { handle, ...declaration } = definition;
  return {
    ...declaration,
    async run(parameters, context) {
      const args = Object.fromEntries(
        Object.entries(definition.params).map(([name, parameter]) => [
          name,
          parameter.read(parameters, name, context.command),
        ]),
      ) as ArgumentsOf<Parameters>;
      const result = await handle(args, context);
      if (definition.kind !== 'list') return result as ResponseBody;
      const { count, items } = result as Results<Declared>['list'];
      if (count === 0) return {};
      return items.length === 0 ? { count } : { count, [definition.response.objectName]: items as ResponseBody[] };
    },
  };
}

export const isAsync = ({ kind }: Command): boolean => kind === 'async' || kind === 'asyncCreate';

export const envelopeOf = ({
  name,
  envelope = `${name.toLowerCase()}response`,
}: Pick<Command, 'name' | 'envelope'>): string => envelope;
