import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { migrate } from '../db/migrate.js';
import { seed, type SeedResult } from '../db/seed.js';
import type { SettingValues } from '../shared/settings.js';
import type { ChildProcess } from './child-process.js';
import type { EmbeddedTemporal } from './component-environment.js';
import { startComponent, type Component } from './component.js';
import type { InstallationPorts } from './installation-ports.js';
import { startPostgres } from './postgres.js';
import { prepareNamespace } from './temporal-namespace.js';
import { startTemporal } from './temporal.js';

type Environment = Record<string, string | undefined>;

/** What the services are started with, and where what they start is noted, so that it can be stopped in any case. */
export interface ServiceContext {
  stateDirectory: string;
  env: Environment;
  ports: InstallationPorts;
  isRestarted: boolean;
  onLine: (line: string) => void;
  started: (component: Component) => void;
}

export interface Database {
  url: string;
  /** Missing when DATABASE_URL names a server of the operator's own. */
  component?: Component;
}

export async function startDatabase(context: ServiceContext): Promise<Database> {
  const own = context.env['DATABASE_URL'];
  if (own) return { url: own };
  let url = '';
  const component = await startComponent({
    ...context,
    name: 'postgresql',
    async start(): Promise<ChildProcess> {
      const server = await startPostgres(context.stateDirectory, context.ports.postgres);
      url = server.databaseUrl;
      return server.process;
    },
  });
  context.started(component);
  return { url, component };
}

export interface Temporal {
  address: string;
  uiUrl?: string;
  /** These two are missing when TEMPORAL_ADDRESS names a server of the operator's own. */
  component?: Component;
  embedded?: EmbeddedTemporal;
}

export async function startTemporalService(context: ServiceContext): Promise<Temporal> {
  const { env, ports } = context;
  const own = env['TEMPORAL_ADDRESS'];
  if (own) {
    const overrideEnvVars = Object.fromEntries(
      Object.entries(env).filter((pair): pair is [string, string] => !!pair[1]),
    );
    const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars });
    await prepareNamespace(connectionOptions, namespace ?? 'default');
    const uiUrl = env['SLIPWAY_TEMPORAL_UI_URL'];
    return { address: own, ...(uiUrl && { uiUrl }) };
  }
  const address = `127.0.0.1:${ports.temporal}`;
  const component = await startComponent({
    ...context,
    name: 'temporal',
    async start(): Promise<ChildProcess> {
      const { stateDirectory } = context;
      const server = await startTemporal({ stateDirectory, port: ports.temporal, uiPort: ports.temporalUi, env });
      return server.process;
    },
  });
  context.started(component);
  await prepareNamespace({ address }, 'default');
  const clientConfigPath = join(context.stateDirectory, 'temporal', 'client.toml');
  // The SDK trips over a configuration without a profile.
  await writeFile(clientConfigPath, '[profile.default]\n');
  const uiUrl = `http://127.0.0.1:${ports.temporalUi}`;
  return { address, uiUrl, component, embedded: { address, clientConfigPath } };
}

/** Brings the schema up to date and puts in what an empty installation lacks. */
export async function prepareDatabase(
  databaseUrl: string,
  secretKeyBase64: string,
  settings: Partial<SettingValues>,
): Promise<SeedResult> {
  await migrate(databaseUrl);
  return seed(databaseUrl, { secretKeyBase64, settings });
}
