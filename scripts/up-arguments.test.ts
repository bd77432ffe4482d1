import { parseUpArguments } from './up-arguments.js';

const defaults = {
  hosts: 3,
  isPoolShared: false,
  ports: { gateways: [8080], temporalUi: 8233, temporal: 7233, postgres: 8432 },
  settings: {},
  isHelpWanted: false,
};

describe('arguments of scripts/up', () => {
  test.each([
    ['nothing', [], defaults],
    ['hosts', ['--hosts', '1'], { ...defaults, hosts: 1 }],
    [
      'every port',
      ['--port=1', '--temporal-ui-port=2', '--temporal-port=3', '--postgres-port=65535'],
      { ...defaults, ports: { gateways: [1], temporalUi: 2, temporal: 3, postgres: 65_535 } },
    ],
    ['a shared pool', ['--shared-pool'], { ...defaults, isPoolShared: true }],
    [
      'loopback',
      ['--allow-loopback'],
      { ...defaults, settings: { 'secstorage.allowed.internal.sites': '127.0.0.0/8,::1/128' } },
    ],
    ['help', ['--help'], { ...defaults, isHelpWanted: true }],
  ])('%s', (_name, args, expected) => {
    expect(parseUpArguments(args)).toEqual(expected);
  });

  test.each([
    [['--hosts', '0'], '--hosts has to be a number from 1 to 20, not 0.'],
    [['--hosts', 'many'], '--hosts has to be a number from 1 to 20, not many.'],
    [['--port', '65536'], '--port has to be a number from 1 to 65535, not 65536.'],
    [['--port', '1e3'], '--port has to be a number from 1 to 65535, not 1e3.'],
  ])('%j is refused', (args, problem) => {
    expect(parseUpArguments(args)).toEqual({ problem });
  });

  test('an unknown option is refused', () => {
    expect(parseUpArguments(['--hots', '2'])).toEqual({ problem: expect.stringContaining('--hots') });
  });
});
