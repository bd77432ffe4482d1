import { parseArguments } from './arguments.js';

const source = {
  headers: [],
  allow: [],
  certificateFiles: [],
  proxy: undefined,
  isFollowingRedirects: false,
  ownServers: [],
  settings: [],
};
const common = { format: undefined, isJson: false };

describe('arguments', () => {
  it('of fetch are all read', () => {
    const args = [
      'fetch',
      '--pool',
      '/srv/images',
      '--name=disk',
      'https://a.example/disk.qcow2',
      '--checksum',
      `{sha256}${'A'.repeat(64)}`,
      '--header',
      'X-A: b',
      '--header=@secrets',
      '--format',
      'qcow2',
      '--allow-loopback',
      '--allow=169.254.0.0/16',
      '--ca',
      'one.pem',
      '--proxy=http://proxy.example:3128',
      '--follow-redirects',
      '--limit-rate',
      '1.5M',
      '--own-server',
      'a.example',
      '--setting',
      'a=b=c',
      '--force',
      '--json',
    ];
    expect(parseArguments(args)).toEqual({
      command: 'fetch',
      url: 'https://a.example/disk.qcow2',
      pool: '/srv/images',
      name: 'disk',
      checksum: { algorithm: 'SHA-256', value: 'a'.repeat(64) },
      isReplacing: true,
      format: 'QCOW2',
      isJson: true,
      source: {
        headers: ['X-A: b', '@secrets'],
        allow: ['169.254.0.0/16', '127.0.0.0/8', '::1/128'],
        certificateFiles: ['one.pem'],
        proxy: 'http://proxy.example:3128',
        isFollowingRedirects: true,
        ownServers: ['a.example'],
        settings: ['a=b=c'],
        limitBytesPerSecond: 1.5 * 1024 ** 2,
      },
    });
  });

  it.each([
    [['inspect', 'a', '--format=ISO'], { command: 'inspect', file: 'a', ...common, format: 'ISO' }],
    [['probe', 'http://a/', '--json'], { command: 'probe', url: 'http://a/', source, ...common, isJson: true }],
    [['metalink', 'a.meta4'], { command: 'metalink', document: 'a.meta4', source, ...common }],
    [['--help'], { command: 'help' }],
    [['fetch', '-h'], { command: 'help' }],
  ])('%j are read', (args, expected) => {
    expect(parseArguments(args)).toEqual(expected);
  });

  it.each([
    [[], 'A command is missing'],
    [['get'], 'There is no command get'],
    [['https://me:secret@a/'], 'The first word is no command'],
    [['fetch', 'http://a/'], '--pool is missing'],
    [['fetch', '--pool', '.'], 'The URL is missing'],
    [['fetch', 'a', 'b', '--pool', '.'], 'There is more than one URL'],
    [['fetch', 'a', '--pool'], "Option '--pool <value>' argument missing"],
    [['fetch', 'a', '--pool', '.', '--chekcsum', 'x'], "Unknown option '--chekcsum'"],
    [['fetch', 'a', '--pool', '.', '--checksum', '{SHA-256}12'], '--checksum: Checksum digest length should be 64'],
    [['fetch', 'a', '--pool', '.', '--limit-rate', '0'], '--limit-rate has to be'],
    [['fetch', 'a', '--pool', '.', '--limit-rate', '5X'], '--limit-rate has to be'],
    [['fetch', 'a', '--pool', '.', '--name', '../etc/passwd'], '--name has to be'],
    [['inspect', 'a', '--format', 'vmdk'], '--format has to be qcow2, raw or iso'],
    [['inspect', 'a', '--header', 'a:b'], "Unknown option '--header'"],
  ])('%j are refused', (args, message) => {
    expect(() => parseArguments(args)).toThrow(
      expect.objectContaining({
        code: 'SLIPWAY_PARAMETER_INVALID',
        message: expect.stringContaining(message) as string,
      }),
    );
  });
});
