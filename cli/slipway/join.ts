import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rm } from 'node:fs/promises';
import { hostname, machine } from 'node:os';
import path from 'node:path';
import { type HostConfig, readHostConfig, writeHostConfig } from '../../kvm/host-config.js';
import { generateKeyPair, type KeyPair } from '../../kvm/keystore/sealed-box.js';
import { openPools } from '../../kvm/storage/open-pools.js';
import { claimPoolDirectory } from '../../kvm/storage/pool-marker.js';
import { writeFileDurably } from '../../kvm/write-file-durably.js';
import { SlipwayError } from '../../shared/errors.js';
import type { HostJoinAnswer, HostJoinCheck } from '../../shared/host-join.js';
import type { PoolPlace } from '../../shared/hosts.js';
import type { JoinCommand } from './arguments.js';
import { renderEnvironmentFile, temporalVariables } from './environment-file.js';
import { createGatewayClient } from './gateway-client.js';
import { type HostPlaces, hostPlaces } from './host-places.js';
import { checkMachine } from './machine-checks.js';
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
export async function join(command: JoinCommand, programs: string): Promise<JoinResult> {
  const places = hostPlaces(command.places);
  const environment = requireTemporal({ ...temporalVariables(process.env), ...command.temporal });
  const gateway = createGatewayClient({
    url: command.gateway,
    certificates: await readCertificates(command.certificateFile),
    allowsHttp: command.allowsHttp,
  });
  const token = await readSecret('--token', command.token);
  const purpose = await gateway.check(token);
  const known = await knownHost(places, purpose, command);
  await makeOwnPools(command);
  await requireMachine(command);
  const keyPair = await keyPairOf(places, known);
  const pools = await claimPools(command, purpose.installationId);
  const name = command.name ?? known?.name ?? hostname();
  const request = { token, name, publicKey: keyPair.publicKey, arch: machine(), pools };
  const answer = await gateway.join(request);
  const config = await writeConfig(places, command, { answer, keyPair, pools, name, known });
  await writeFileDurably(places.environmentPath, renderEnvironmentFile(environment), 0o600);
  await writeUnit(places, config, programs);
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
  const isOther = hostId === undefined ? name !== undefined && name !== known.name : hostId !== known.hostId;
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

/** Kept before anything is said of them: without them nothing that was sealed to this host could be read. */
async function keyPairOf({ joiningPath }: HostPlaces, known: HostConfig | undefined): Promise<KeyPair> {
  if (known) return known.keyPair;
  if (existsSync(joiningPath)) return JSON.parse(await readFile(joiningPath, 'utf8')) as KeyPair;
  const keyPair = await generateKeyPair();
  await mkdir(path.dirname(joiningPath), { recursive: true, mode: 0o755 });
  await writeFileDurably(joiningPath, JSON.stringify(keyPair), 0o600);
  return keyPair;
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

async function writeConfig(
  places: HostPlaces,
  command: JoinCommand,
  joined: {
    answer: HostJoinAnswer;
    keyPair: KeyPair;
    pools: PoolPlace[];
    name: string;
    known: HostConfig | undefined;
  },
): Promise<HostConfig> {
  const { answer, keyPair, pools, known } = joined;
  const { consoleDirectory, tokenDirectory, certificateDirectory } = places;
  // libvirt's QEMU gets to consoles and seeds as another user.
  for (const directory of [path.dirname(consoleDirectory), consoleDirectory]) {
    await mkdir(directory, { recursive: true });
    await chmod(directory, 0o711);
  }
  await mkdir(tokenDirectory, { recursive: true, mode: 0o700 });
  const config: HostConfig = {
    installationId: answer.installationId,
    hostId: answer.hostId,
    name: answer.hostName ?? joined.name,
    libvirtUri: command.libvirtUri,
    pools,
    consoleDirectory,
    tokenDirectory,
    certificateDirectory,
    keyPair,
    furtherKeyPairs: known?.furtherKeyPairs,
    guestBridge: command.guestBridge ?? known?.guestBridge,
    guestVlanInterface: command.guestVlanInterface ?? known?.guestVlanInterface,
    proxyUrl: command.proxy === undefined ? known?.proxyUrl : await readSecret('--proxy', command.proxy),
  };
  await mkdir(path.dirname(places.configPath), { recursive: true, mode: 0o755 });
  await writeHostConfig(places.configPath, config);
  return config;
}

async function writeUnit({ unitPath, configPath, environmentPath }: HostPlaces, config: HostConfig, programs: string) {
  const unit = renderUnit({
    hostName: config.name,
    executable: process.execPath,
    programs,
    configPath,
    environmentPath,
    ownDirectories: [path.dirname(config.consoleDirectory), path.dirname(configPath)],
    pools: config.pools.map((pool) => pool.path),
    isSystemLibvirt: new URL(config.libvirtUri).pathname === '/system',
  });
  await mkdir(path.dirname(unitPath), { recursive: true });
  await writeFileDurably(unitPath, unit, 0o644);
}
