import type { HostFacts } from '../../shared/hosts.js';
import type { Virsh } from './virsh.js';

/** Some machines (many ARM ones, and guests) tell no frequency; with 0 no VM would ever fit there. */
const ASSUMED_CPU_SPEED_MHZ = 2000;

/** What libvirt says the machine is. @throws SlipwayError SLIPWAY_HYPERVISOR */
export async function readNodeInfo(virsh: Virsh): Promise<Pick<HostFacts, 'arch' | 'cpus' | 'cpuSpeedMhz'>> {
  const output = await virsh.run(['nodeinfo']);
  const value = (name: string): string => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(output)?.[1] ?? '';
  return {
    arch: value('CPU model'),
    cpus: Number(value('CPU\\(s\\)')),
    cpuSpeedMhz: Number.parseInt(value('CPU frequency'), 10) || ASSUMED_CPU_SPEED_MHZ,
  };
}
