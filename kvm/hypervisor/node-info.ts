import { readFile } from 'node:fs/promises';
import { SlipwayError } from '../../shared/errors.js';
import type { HostFacts } from '../../shared/hosts.js';
import { hypervisorMessage, type Virsh } from './virsh.js';

/** Some machines (many ARM ones, and guests) tell no frequency; with 0 no VM would ever fit there. */
const ASSUMED_CPU_SPEED_MHZ = 2000;
const CPUFREQ = '/sys/devices/system/cpu/cpu0/cpufreq';

export type NodeInfo = Pick<HostFacts, 'arch' | 'cpus' | 'cpuSpeedMhz' | 'hypervisorVersion' | 'libvirtVersion'>;

/** Speeds of a CPU; missing where nobody tells. */
interface CpuSpeeds {
  /** Files of Linux' cpufreq, in kHz. */
  base?: string | undefined;
  max?: string | undefined;
  /** /proc/cpuinfo: the name of many a CPU has its base clock in it. */
  cpuinfo?: string | undefined;
  /** What libvirt says, in MHz: that of this moment. */
  now: number;
}

/**
 * The speed that capacity is counted in. That of the moment follows the load: an idle machine would have a third of the
 * room, and its facts would change with every look.
 */
export function cpuSpeedMhzOf({ base, max, cpuinfo = '', now }: CpuSpeeds): number {
  const nameGhz = /^model name\s*:.*@ ([\d.]+)GHz/m.exec(cpuinfo)?.[1];
  const steady = [Number(base) / 1000, Number(max) / 1000, Number(nameGhz) * 1000].find((mhz) => mhz > 0);
  return Math.round(steady ?? 0) || now || ASSUMED_CPU_SPEED_MHZ;
}

/**
 * What the machine is, in one call of libvirt.
 *
 * @throws SlipwayError SLIPWAY_HYPERVISOR
 */
export async function readNodeInfo(virsh: Virsh): Promise<NodeInfo> {
  const { isOk, stdout, errors } = await virsh.runAll(['nodeinfo', 'version']);
  const value = (name: string): string => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(stdout)?.[1] ?? '';
  const arch = value('CPU model');
  if (!isOk || arch === '') throw new SlipwayError('SLIPWAY_HYPERVISOR', hypervisorMessage(errors));
  return {
    arch,
    cpus: Number(value('CPU\\(s\\)')),
    cpuSpeedMhz: cpuSpeedMhzOf({
      base: await textOf(`${CPUFREQ}/base_frequency`),
      max: await textOf(`${CPUFREQ}/cpuinfo_max_freq`),
      cpuinfo: await textOf('/proc/cpuinfo'),
      now: Number.parseInt(value('CPU frequency'), 10) || 0,
    }),
    hypervisorVersion: /^Running hypervisor: (.+)$/m.exec(stdout)?.[1] ?? 'unknown',
    libvirtVersion: /^Using library: libvirt (\S+)$/m.exec(stdout)?.[1],
  };
}

const textOf = (path: string): Promise<string | undefined> => readFile(path, 'utf8').catch(() => undefined);
