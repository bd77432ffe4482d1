import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { HostConfig } from '../../kvm/host-config.js';
import { readHostConfig } from '../../kvm/host-config.js';
import type { DoctorCommand } from './commands.js';
import { parseEnvironmentFile } from './environment-file.js';
import { type HostPlaces, hostPlaces } from './host-places.js';
import { type Check, checkMachine } from './machine-checks.js';
import { hasFailed, renderChecks } from './render-checks.js';
import { isSystemdRunning, systemctl } from './systemctl.js';

const TEMPORAL_TIMEOUT_MS = 5_000;
const FOR_OTHERS = 0o077;

export interface DoctorResult {
  isOk: boolean;
  checks: Check[];
  text: string;
}

/** Looks at everything that a host needs; before it has joined, at the machine alone. */
export async function doctor(
  { places: options, libvirtUri }: DoctorCommand,
  nowMs: number,
  temporalTimeoutMs = TEMPORAL_TIMEOUT_MS,
): Promise<DoctorResult> {
  const places = hostPlaces(options);
  const { config, check } = await checkConfig(places, nowMs);
  const machine = await checkMachine(config ?? { libvirtUri, pools: [] });
  const joined = config ? [await checkTemporal(places, temporalTimeoutMs), await checkService(places)] : [];
  const checks = [...machine, ...check, ...joined];
  const isOk = !hasFailed(checks);
  return {
    isOk,
    checks,
    text: renderChecks(checks) + (isOk ? 'Nothing is in the way.\n' : 'Mend what has FAILED, then ask again.\n'),
  };
}

async function checkConfig(
  { configPath }: HostPlaces,
  nowMs: number,
): Promise<{ config?: HostConfig; check: Check[] }> {
  const name = configPath;
  if (!existsSync(configPath)) {
    const remedy = 'slipway host join makes it one';
    return { check: [{ name, status: 'warning', text: 'is not there: this machine has not joined', remedy }] };
  }
  try {
    const config = await readHostConfig(configPath);
    const { mode } = await stat(configPath);
    if ((mode & FOR_OTHERS) !== 0) {
      const text = 'can be read by others, and the secret key of the host is in it';
      return { config, check: [{ name, status: 'failed', text, remedy: `chmod 600 ${configPath}, then rotate keys` }] };
    }
    const old = (config.furtherKeyPairs ?? []).filter(({ until }) => until !== undefined && Date.parse(until) <= nowMs);
    if (old.length > 0) {
      const remedy =
        'the host worker removes them while it runs and may write there; or take them out of furtherKeyPairs by hand';
      const text = `host ${config.name}; ${old.length} former keys are not accepted any more, and still there`;
      return { config, check: [{ name, status: 'warning', text, remedy }] };
    }
    return { config, check: [{ name, status: 'ok', text: `host ${config.name} (${config.hostId})` }] };
  } catch (error) {
    const remedy = 'mend it, or join again with a token for this host';
    return { check: [{ name, status: 'failed', text: (error as Error).message, remedy }] };
  }
}

async function checkTemporal({ environmentPath }: HostPlaces, timeoutMs: number): Promise<Check> {
  const name = 'Temporal';
  try {
    const variables = parseEnvironmentFile(await readFile(environmentPath, 'utf8'));
    // Loaded here only: it takes longer than everything else.
    const { askTemporal } = await import('./ask-temporal.js');
    const address = await askTemporal(variables, timeoutMs);
    return { name, status: 'ok', text: `answers at ${address}` };
  } catch (error) {
    const remedy = `check the variables in ${environmentPath}, and that this host reaches Temporal`;
    return { name, status: 'failed', text: (error as Error).message, remedy };
  }
}

async function checkService({ unitPath, unitName }: HostPlaces): Promise<Check> {
  const name = `service ${unitName}`;
  if (!existsSync(unitPath)) {
    return { name, status: 'warning', text: `${unitPath} is not there`, remedy: 'join once more: that writes it' };
  }
  if (!isSystemdRunning()) {
    const remedy = 'start the host worker yourself, as the unit would';
    return { name, status: 'warning', text: 'systemd does not run this machine', remedy };
  }
  const remedy = `systemctl enable --now ${unitName}; journalctl -u ${unitName} has its log`;
  try {
    return { name, status: 'ok', text: await systemctl(['is-active', unitName]) };
  } catch {
    return { name, status: 'failed', text: 'does not run', remedy };
  }
}
