import { SlipwayError } from '../../shared/errors.js';
import { Mirror } from './mirror.js';

const URL_A = 'http://me:secret@a.example/disk?secret';
const error = new SlipwayError('SLIPWAY_SOURCE_TIMEOUT', 'silent');

describe('a mirror', () => {
  it('tells what became of it, without secrets', () => {
    const mirror = new Mirror(URL_A, 1);
    expect(mirror.report).toEqual({ url: 'http://a.example/disk', outcome: 'not tried', bytes: 0 });
    mirror.begin();
    mirror.answered();
    mirror.bytes = 5;
    expect(mirror.report).toEqual({ url: 'http://a.example/disk', outcome: 'used', bytes: 5 });
    mirror.fail(error);
    expect(mirror.report).toMatchObject({ outcome: 'failed', bytes: 5, code: error.code, reason: 'silent' });
  });

  it('has progressed only with more bytes than ever', () => {
    const mirror = new Mirror(URL_A, 1);
    mirror.takenBytes = 10;
    expect([mirror.hasProgressed(), mirror.hasProgressed()]).toEqual([true, false]);
    mirror.beginAnew();
    mirror.takenBytes = 10;
    expect(mirror.hasProgressed()).toBe(false);
    mirror.takenBytes = 11;
    expect(mirror.hasProgressed()).toBe(true);
  });

  it.each([
    ['at once when there are others', true, [true]],
    ['at the third wrong piece when it is alone', false, [false, false, true]],
  ])('is guilty %s', (_what, hasOthers, verdicts) => {
    const mirror = new Mirror(URL_A, 1);
    expect(verdicts.map(() => mirror.isGuilty(hasOthers))).toEqual(verdicts);
  });

  it.each([
    ['at work', false, (mirror: Mirror) => mirror.begin(), 'waiting'],
    ['left', false, (mirror: Mirror) => mirror.fail(error), 'failed'],
    ['left for its size', true, (mirror: Mirror) => mirror.fail(error), 'waiting'],
  ])('that was %s when all bytes go is asked again: %s', (_what, isContrary, act, state) => {
    const mirror = new Mirror(URL_A, 1);
    act(mirror);
    mirror.isContrary = isContrary;
    mirror.beginAnew();
    expect(mirror.state).toBe(state);
  });
});
