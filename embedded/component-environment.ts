type Environment = Record<string, string | undefined>;

export interface EmbeddedTemporal {
  address: string;
  /** Temporal's client configuration (TOML) with an empty default profile. */
  clientConfigPath: string;
}

export interface Services {
  databaseUrl: string;
  secretKey: string;
  /** Only when Temporal is embedded: otherwise the client variables and profiles of `env` hold. */
  embeddedTemporal?: EmbeddedTemporal;
  temporalUiUrl?: string;
}

/** Not for a KVM host: it has no database, and secrets reach it sealed to its own key. */
const CONTROL_ONLY = ['DATABASE_URL', 'SLIPWAY_SECRET_KEY'];

function temporalVariables(env: Environment, embedded: EmbeddedTemporal | undefined): Environment {
  if (embedded === undefined) return {};
  // A profile or TLS variables meant for the operator's own cluster would be taken for the embedded server too.
  const cleared = Object.keys(env).filter((name) => name.startsWith('TEMPORAL_'));
  return {
    ...Object.fromEntries(cleared.map((name) => [name, undefined])),
    TEMPORAL_ADDRESS: embedded.address,
    TEMPORAL_NAMESPACE: 'default',
    TEMPORAL_CONFIG_FILE: embedded.clientConfigPath,
  };
}

/** Environment of control workers and gateways. */
export function controlEnvironment(env: Environment, services: Services): Environment {
  return {
    ...env,
    ...temporalVariables(env, services.embeddedTemporal),
    DATABASE_URL: services.databaseUrl,
    SLIPWAY_SECRET_KEY: services.secretKey,
    ...(services.temporalUiUrl && { SLIPWAY_TEMPORAL_UI_URL: services.temporalUiUrl }),
  };
}

/** Environment of host workers. */
export function hostEnvironment(env: Environment, services: Pick<Services, 'embeddedTemporal'>): Environment {
  return {
    ...env,
    ...temporalVariables(env, services.embeddedTemporal),
    ...Object.fromEntries(CONTROL_ONLY.map((name) => [name, undefined])),
  };
}
