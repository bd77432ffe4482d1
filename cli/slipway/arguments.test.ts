import { parseArguments } from './arguments.js';

const JOIN = ['host', 'join', '--gateway', 'https://slipway', '--token', 't'];
const POOL_ID = '6f1c2a34-0000-4000-8000-000000000001';

test('should understand all of a join', () => {
  const command = parseArguments([
    ...JOIN,
    '--name=kvm-7',
    '--pool=/srv/pool',
    '--shared-pool=/mnt/cluster',
    `--nfs-pool=${POOL_ID}:/mnt/images`,
    '--temporal-address=temporal:7233',
    '--guest-bridge=cloudbr0',
    '--config-dir=/etc/other',
    '--start',
  ]);
  expect(command).toMatchObject({
    command: 'host join',
    name: 'kvm-7',
    pools: [
      { path: '/srv/pool', type: 'Filesystem' },
      { path: '/mnt/cluster', type: 'SharedMountPoint', poolId: undefined },
      { path: '/mnt/images', type: 'NetworkFilesystem', poolId: POOL_ID },
    ],
    temporal: { TEMPORAL_ADDRESS: 'temporal:7233' },
    guestBridge: 'cloudbr0',
    places: { configDirectory: '/etc/other', stateDirectory: '/var/lib/slipway-host', unitName: 'slipway-host' },
    isStarting: true,
    isForced: false,
    allowsHttp: false,
  });
});

it.each([
  ['no command', []],
  ['half a command', ['host']],
  ['another command', ['host', 'reboot']],
  ['a join without a gateway', ['host', 'join', '--token', 't', '--pool', '/p']],
  ['a join without a token', ['host', 'join', '--gateway', 'https://g', '--pool', '/p']],
  ['a join without a pool', JOIN],
  ['an option that is not there', [...JOIN, '--pool', '/p', '--fast']],
  ['a unit that is a path', ['doctor', '--unit', '../x']],
  ['a host and a cluster', ['host', 'token', '--host', 'a', '--cluster', 'b']],
  ['no host to revoke', ['host', 'revoke']],
  ['two hosts to revoke', ['host', 'revoke', 'a', 'b']],
  ['an admin without a file', ['create-admin']],
])('should refuse %s', (_, args) => {
  expect(() => parseArguments(args)).toThrow(expect.objectContaining({ code: 'SLIPWAY_PARAMETER_INVALID' }));
});

test('should not repeat a word that may be a token', () => {
  expect(() => parseArguments([...JOIN, '--pool', '/p', 'sjt_secret'])).toThrow(/^There is a word without an option$/);
});

it.each([[['--help']], [['host', '--help']], [['host', 'join', '-h']], [['doctor', '--help']]])(
  'should help with %j',
  (args) => {
    expect(parseArguments(args)).toBe('help');
  },
);
