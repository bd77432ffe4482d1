import path from 'node:path';

/** Where everything of a host on this machine is. */
export interface HostPlaces {
  configPath: string;
  /** How Temporal is reached; read by systemd. */
  environmentPath: string;
  /** The keys of a host that is about to join: a join that was cut short is repeated with the same ones. */
  joiningPath: string;
  consoleDirectory: string;
  tokenDirectory: string;
  certificateDirectory: string;
  /** Beside the tokens. */
  startedDirectory: string;
  unitPath: string;
  unitName: string;
}

export interface PlaceOptions {
  configDirectory: string;
  stateDirectory: string;
  unitDirectory: string;
  unitName: string;
}

export const DEFAULT_PLACES: PlaceOptions = {
  configDirectory: '/etc/slipway',
  stateDirectory: '/var/lib/slipway-host',
  unitDirectory: '/etc/systemd/system',
  unitName: 'slipway-host',
};

export const hostPlaces = ({ configDirectory, stateDirectory, unitDirectory, unitName }: PlaceOptions): HostPlaces => ({
  configPath: path.join(configDirectory, 'host.json'),
  environmentPath: path.join(configDirectory, 'host.env'),
  joiningPath: path.join(configDirectory, 'joining.json'),
  consoleDirectory: path.join(stateDirectory, 'console'),
  tokenDirectory: path.join(stateDirectory, 'tokens'),
  certificateDirectory: path.join(stateDirectory, 'certificates'),
  startedDirectory: path.join(stateDirectory, 'started'),
  unitPath: path.join(unitDirectory, `${unitName}.service`),
  unitName,
});
