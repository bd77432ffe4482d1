import { existsSync } from 'node:fs';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { hostname, machine } from 'node:os';
import path from 'node:path';
import { type HostConfig, parseHostConfig, readHostConfig } from '../../kvm/host-config.js';
import { writeHostConfig } from '../../kvm/write-host-config.js';
import type { KeyPair } from '../../kvm/keystore/sealed-box.js';
import { openPools } from '../../kvm/storage/open-pools.js';
import { claimPoolDirectory } from '../../kvm/storage/pool-marker.js';
import { isUuid } from '../../kvm/uuid.js';
import { writeFileDurably } from '../../kvm/write-file-durably.js';
import { SlipwayError } from '../../shared/errors.js';
import type { HostJoinCheck } from '../../shared/host-join.js';
import { isHostName } from '../../shared/host-name.js';
import type { PoolPlace } from '../../shared/hosts.js';
import { aloneWithKeys } from './alone-with-keys.js';
import type { JoinCommand } from './commands.js';
import { renderEnvironmentFile, temporalVariables } from './environment-file.js';
import { createGatewayClient } from './gateway-client.js';
import { type HostPlaces, hostPlaces } from './host-places.js';
import { keyPairOf } from './join-keys.js';
import { checkMachine } from './machine-checks.js';
import { withProfileFile } from './profile-file.js';
import { readCertificates, readSecret } from './read-secret.js';
import { hasFailed, renderChecks } from './render-checks.js';
import { startUnit } from './start-unit.js';
import { renderUnit } from './systemd-unit.js';
import { usageError } from './usage-error.js';

export interface JoinResult {
  hostId: string;
  name: string;
  zone: string;
  cluster: string;
  configPath: string;
  environmentPath: string;
  unitPath: string;
  isStarted: boolean;
  text: string;
}

/**
 * Makes this machine a host: checks it, makes its keys, joins, and writes what its worker and systemd need. To run it
 * again with another token is harmless: the host stays the same, and so do its keys.
 *
 * @param programs directory of the compiled programs
 */
export const join = (command: JoinCommand, programs: string): Promise<JoinResult> => {
  const places = hostPlaces(command.places);
  return aloneWithKeys(places.configPath, () => joinAt(places, command, programs));
};

async function joinAt(places: HostPlaces, command: JoinCommand, programs: string): Promise<JoinResult> {
  const environment = withAbsolutePaths(
    withProfileFile(requireTemporal({ ...temporalVariables(process.env), ...command.temporal }), process.env),
  );
  const gateway = createGatewayClient({
    url: command.gateway,
    certificates: await readCertificates(command.certificateFile),
    allowsHttp: command.allowsHttp,
  });
  const token = await readSecret('--token', command.token);
  const proxy = command.proxy === undefined ? undefined : await readSecret('--proxy', command.proxy);
  const purpose = await gateway.check(token);
  // Before the token is used up: a host whose name cannot be written down would have another key, and not know of it.
  requireNames(purpose, purpose.hostId === undefined ? [] : [purpose.hostId]);
  const known = await knownHost(places, purpose, command);
  await makeOwnPools(command);
  await requireMachine(command);
  const keyPair = await keyPairOf(places, known, purpose);
  const pools = await claimPools(command, purpose.installationId);
  const name = command.name ?? known?.name ?? hostname();
  const draft = draftOf(
    places,
    { ...command, proxy },
    { keyPair, pools, known, isRevoked: purpose.isRevoked === true },
  );
  // Before the token is used up: what cannot be written must not be a host either.
  parseHostConfig({ ...draft, ...purpose, hostId: purpose.hostId ?? 'new', name }, places.configPath);
  const request = { token, name, hostId: known?.hostId, publicKey: keyPair.publicKey, arch: machine(), pools };
  const answer = await gateway.join(request);
  const { installationId, hostId, hostName } = answer;
  requireNames(answer, [hostId]);
  const present = hostName ?? name;
  const joinedAs = known?.joinedAs ?? (known?.name === present ? undefined : known?.name);
  const config: HostConfig = { ...draft, installationId, hostId, name: present, joinedAs };
  await writeConfig(places, config);
  await writeFileDurably(places.environmentPath, renderEnvironmentFile(environment), 0o600);
  await writeUnit(places, { config, programs, environment });
  await rm(places.joiningPath, { force: true });
  if (command.isStarting) await startUnit(places.unitName);
  return {
    hostId: answer.hostId,
    name: config.name,
    zone: answer.zoneName,
    cluster: answer.clusterName,
    configPath: places.configPath,
    environmentPath: places.environmentPath,
    unitPath: places.unitPath,
    isStarted: command.isStarting,
    text:
      `Host ${config.name} (${answer.hostId}) has joined cluster ${answer.clusterName} of zone ${answer.zoneName}.\n` +
      `Wrote ${places.configPath}, ${places.environmentPath} and ${places.unitPath}.\n` +
      (command.isStarting
        ? `It runs: systemctl status ${places.unitName}\n`
        : `Start it: systemctl daemon-reload; systemctl enable ${places.unitName}; systemctl restart ${places.unitName}\n`),
  };
}

function requireTemporal(variables: Record<string, string>): Record<string, string> {
  const isNamed = ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'].some((name) => variables[name]);
  if (isNamed) return variables;
  throw usageError('--temporal-address is missing: where hosts reach Temporal, or TEMPORAL_… in the environment');
}

/** The service has another working directory than whoever runs this. */
const withAbsolutePaths = (variables: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [
      name,
      /_(PATH|CONFIG_FILE)$/.test(name) ? path.resolve(value) : value,
    ]),
  );

/** They become names of directories and domains, and part of a unit that root's systemd reads. */
function requireNames({ installationId, hostName }: HostJoinCheck, hostIds: string[]): void {
  const isName = hostName === undefined || (typeof hostName === 'string' && isHostName(hostName));
  if (isName && [installationId, ...hostIds].every((id) => isUuid(id))) return;
  throw new SlipwayError('SLIPWAY_UNAVAILABLE', 'The gateway answers with names that no installation has');
}

/** What this machine is already, when that goes together with what the token is for. */
async function knownHost(
  { configPath }: HostPlaces,
  { installationId, hostId, hostName }: HostJoinCheck,
  { name, isForced }: JoinCommand,
): Promise<HostConfig | undefined> {
  if (!existsSync(configPath)) return undefined;
  const known = await readHostConfig(configPath).catch((error: unknown) => {
    if (isForced) return undefined;
    throw error;
  });
  if (!known) return undefined;
  const refuse = (what: string): undefined => {
    if (isForced) return undefined;
    throw new SlipwayError(
      'SLIPWAY_INSTALLATION',
      `${what}. Leave with slipway host leave first, give --config-dir and --state-dir for one more host on this ` +
        'machine, or overwrite its configuration and its keys with --force',
    );
  };
  if (known.installationId !== installationId) return refuse(`${configPath} is a host of another installation`);
  const isCalled = name === undefined || [known.name, known.joinedAs].includes(name);
  const isOther = hostId === undefined ? !isCalled : hostId !== known.hostId;
  return isOther ? refuse(`${configPath} is host ${known.name}, and not ${hostName ?? name}`) : known;
}

/** Before the checks, which want directories. One of a shared pool is somebody's mount point. */
async function makeOwnPools({ pools }: JoinCommand): Promise<void> {
  for (const { path: directory, type } of pools) {
    if (type !== 'Filesystem' || existsSync(directory)) continue;
    await mkdir(directory, { recursive: true });
    await chmod(directory, 0o711);
  }
}

async function requireMachine(command: JoinCommand): Promise<void> {
  const checks = await checkMachine(command);
  if (!hasFailed(checks)) return;
  const failed = checks.filter(({ status }) => status === 'failed');
  throw new SlipwayError(
    'SLIPWAY_INSTALLATION',
    `This machine cannot be a host yet:\n${renderChecks(failed).trimEnd()}`,
  );
}

async function claimPools({ pools }: JoinCommand, installationId: string): Promise<PoolPlace[]> {
  const claimed: PoolPlace[] = [];
  for (const { path: directory, type, poolId } of pools) {
    const claim = { installationId, ...(poolId !== undefined && { poolId }) };
    claimed.push({ poolId: await claimPoolDirectory(directory, claim), type, path: directory });
  }
  await openPools(claimed);
  return claimed;
}

/** All of host.json but what the gateway says. */
function draftOf(
  { consoleDirectory, tokenDirectory, certificateDirectory }: HostPlaces,
  command: JoinCommand,
  joined: { keyPair: KeyPair; pools: PoolPlace[]; known: HostConfig | undefined; isRevoked: boolean },
): Omit<HostConfig, 'installationId' | 'hostId' | 'name'> {
  const { keyPair, pools, known, isRevoked } = joined;
  return {
    libvirtUri: command.libvirtUri,
    pools,
    consoleDirectory,
    tokenDirectory,
    certificateDirectory,
    keyPair,
    // One that is only prepared would be the next rotation's.
    furtherKeyPairs: isRevoked ? undefined : known?.furtherKeyPairs,
    guestBridge: command.guestBridge ?? known?.guestBridge,
    guestVlanInterface: command.guestVlanInterface ?? known?.guestVlanInterface,
    proxyUrl: command.proxy ?? known?.proxyUrl,
  };
}

async function writeConfig({ configPath }: HostPlaces, config: HostConfig): Promise<void> {
  // libvirt's QEMU gets to consoles and seeds as another user.
  for (const directory of [path.dirname(config.consoleDirectory), config.consoleDirectory]) {
    await mkdir(directory, { recursive: true });
    await chmod(directory, 0o711);
  }
  await mkdir(config.tokenDirectory, { recursive: true, mode: 0o700 });
  await mkdir(path.dirname(configPath), { recursive: true, mode: 0o755 });
  await writeHostConfig(configPath, config);
}

async function writeUnit(
  { unitPath, configPath, environmentPath }: HostPlaces,
  { config, programs, environment }: { config: HostConfig; programs: string; environment: Record<string, string> },
): Promise<void> {
  const unit = renderUnit({
    hostName: config.name,
    executable: process.execPath,
    programs,
    configPath,
    environmentPath,
    ownDirectories: [path.dirname(config.consoleDirectory), path.dirname(configPath)],
    pools: config.pools.map((pool) => pool.path),
    furtherFiles: Object.values(environment).filter((value) => path.isAbsolute(value)),
    isSystemLibvirt: new URL(config.libvirtUri).pathname === '/system',
  });
  await mkdir(path.dirname(unitPath), { recursive: true });
  await writeFileDurably(unitPath, unit, 0o644);
}
