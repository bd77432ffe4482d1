import { ipv4, ipv6, newIpv4 } from './ip-address.js';
import { readParameters } from './request-parameters.js';

const read = (parameter: ReturnType<typeof ipv4>, query: string) => parameter.read(readParameters(query), 'p', 'cmd');

it.each([
  ['an address', ipv4(''), 'p=192.0.2.1', '192.0.2.1'],
  ['an address of IPv6', ipv6(''), 'p=2001:db8::1', '2001:db8::1'],
  ['none', ipv4(''), 'p=', undefined],
  ['that there is to be none', newIpv4(''), 'p=', ''],
  ['that nothing is to change', newIpv4(''), 'q=1', undefined],
])('reads %s', (_what, parameter, query, value) => {
  expect(read(parameter, query)).toBe(value);
});

it.each([
  [ipv4(''), 'p=192.0.2'],
  [ipv4(''), 'p=2001:db8::1'],
  [ipv6(''), 'p=192.0.2.1'],
  [newIpv4(''), 'p=x'],
])('refuses what is no address of its kind: %#', (parameter, query) => {
  expect(() => read(parameter, query)).toThrow('due to invalid value');
});
