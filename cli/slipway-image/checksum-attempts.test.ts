import { isWorthAnother, type WrongBytes } from './checksum-attempts.js';

const mismatch = (value: string): WrongBytes => ({
  code: 'SLIPWAY_CHECKSUM_MISMATCH',
  isVouched: false,
  digests: [{ algorithm: 'SHA-256', value }],
});
const refused = (isVouched: boolean): WrongBytes => ({ code: 'SLIPWAY_IMAGE_FORMAT', isVouched, digests: [] });

describe('another attempt after wrong bytes', () => {
  it.each<[string, WrongBytes[], boolean, boolean]>([
    ['while there are other sources', [mismatch('a')], true, true],
    ['from the only source, once: the transfer may be to blame', [mismatch('a')], false, true],
    ['from the only source, if it then sent something else', [mismatch('a'), mismatch('b')], false, true],
    ['not for the same wrong bytes twice', [mismatch('a'), mismatch('a')], false, false],
    ['but for them from other sources', [mismatch('a'), mismatch('a')], true, true],
    ['not after three', [mismatch('a'), mismatch('b'), mismatch('c')], true, false],
    ['for a refused image, from other sources', [refused(false)], true, true],
    ['not for a refused image from the only source', [refused(false)], false, false],
    ['not for a refused image that a hash vouches for', [refused(true)], true, false],
  ])('is made %s', (_, attempts, hasOthers, isWorth) => {
    expect(isWorthAnother(attempts, hasOthers)).toBe(isWorth);
  });
});
