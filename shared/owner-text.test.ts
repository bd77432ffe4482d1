import { type ErrorCode, ERRORS } from './errors.js';
import { ownerText } from './owner-text.js';

const codes = Object.keys(ERRORS) as ErrorCode[];

it('shows nothing of a message that came from hosts and sources', () => {
  const message = 'kvm-7: http://10.1.2.3/x: no route; pool /srv/images is full';
  const failover = codes.filter((code) => ERRORS[code].failover !== 'giveUp');
  expect(failover.length).toBeGreaterThan(30);
  for (const code of [...failover, 'SLIPWAY_NO_HOST', 'SLIPWAY_NO_HOST_LEFT', 'SLIPWAY_URL_VALIDATION'] as const) {
    expect(ownerText({ code, message, causes: [] })).not.toMatch(/kvm|10\.1|srv/);
  }
});

// As a deployment ends whose template is deleted while a second host is tried.
it.each(codes)('shows nothing of what several hosts said when it ended by %s', (code) => {
  const message = 'kvm-7: pool /srv/images is full\nkvm-8: Template debian is deleted';
  const text = ownerText({ code, message, causes: ['SLIPWAY_POOL_FULL', code] });
  expect(text).not.toMatch(/kvm|srv/);
  expect(text).toContain('not enough space');
});

it.each<[ErrorCode, ErrorCode[], string]>([
  ['SLIPWAY_CHECKSUM_MISMATCH', [], 'The image does not match its checksum'],
  // An nfs URL with a user in it is an absolute one.
  ['SLIPWAY_URL_INVALID', [], expect.stringContaining('a part that is not allowed') as string],
  [
    'SLIPWAY_NO_HOST_LEFT',
    ['SLIPWAY_CHECKSUM_MISMATCH', 'SLIPWAY_POOL_FULL', 'SLIPWAY_CHECKSUM_MISMATCH'],
    'No host could do it. The image does not match its checksum. There is not enough space on primary storage',
  ],
  ['SLIPWAY_POOL_FULL', ['SLIPWAY_POOL_FULL'], 'There is not enough space on primary storage'],
  // What a host said about its own state may name it.
  ['SLIPWAY_NO_HOST_LEFT', ['SLIPWAY_RESOURCE_STATE'], expect.not.stringContaining('secret') as string],
  ['SLIPWAY_RESOURCE_STATE', [], 'a secret of the caller'],
])('of %s with causes %j', (code, causes, expected) => {
  expect(ownerText({ code, message: 'a secret of the caller', causes })).toEqual(expected);
});
