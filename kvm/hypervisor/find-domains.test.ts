import { parseDomainList } from './find-domains.js';

const UUID = '6f5e4d3c-0000-4000-8000-00000000000';

const output = (...states: number[]): string =>
  [
    ...states.map((_state, index) => `${UUID}${index} vm ${index}`),
    '',
    ...states.flatMap((state, index) => [`Domain: 'vm ${index}'`, `  state.state=${state}`, '  state.reason=1', '']),
  ].join('\n');

test.each([
  [1, 'Running'],
  [2, 'Running'],
  [3, 'Paused'],
  [4, 'Running'],
  [5, 'Stopped'],
  [6, 'Crashed'],
  [7, 'Paused'],
] as const)('should read state %d as %s', (code, state) => {
  expect(parseDomainList(output(code))).toEqual([{ uuid: `${UUID}0`, name: 'vm 0', state }]);
});

test('should keep domains apart', () => {
  expect(parseDomainList(output(1, 3, 5)).map(({ name, state }) => [name, state])).toEqual([
    ['vm 0', 'Running'],
    ['vm 1', 'Paused'],
    ['vm 2', 'Stopped'],
  ]);
});

test('should leave out a domain that ended while it was listed', () => {
  expect(parseDomainList(`${UUID}0 gone\n\n`)).toEqual([]);
});

test('should find nothing on an empty host', () => {
  expect(parseDomainList('\n\n')).toEqual([]);
});
