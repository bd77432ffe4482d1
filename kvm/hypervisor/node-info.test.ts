import { cpuSpeedMhzOf } from './node-info.js';

const CPUINFO = 'processor\t: 0\nmodel name\t: Xeon(R) Silver 4208 CPU @ 2.10GHz\ncpu MHz\t\t: 1600.000\n';

test.each([
  ['the base clock', { base: '2600000\n', max: '5200000\n', now: 800 }, 2600],
  ['the highest clock where no base is told', { max: '3401999\n', now: 800 }, 3402],
  ['the base clock in its name where no cpufreq is', { cpuinfo: CPUINFO, now: 1600 }, 2100],
  ["libvirt's word in a guest, which has neither", { cpuinfo: 'model name\t: QEMU Virtual CPU', now: 2596 }, 2596],
  ["libvirt's word when the files say nothing", { base: '0\n', max: '<unknown>\n', now: 2596 }, 2596],
  ['a guess when nobody knows', { now: 0 }, 2000],
])('should count capacity in %s', (_name, speeds, expected) => {
  expect(cpuSpeedMhzOf(speeds)).toBe(expected);
});
