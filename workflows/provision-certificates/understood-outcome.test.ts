import type { ApplyCertificatesResult, KeystoreOutcome } from '../../shared/certificates.js';
import { understoodOutcome } from './understood-outcome.js';

const order = { hostId: 'h', hostName: 'host' };
const report = { generation: 1, digest: 'd' };

it.each<[string, KeystoreOutcome]>([
  ['that it failed', { ...order, failure: 'silence' }],
  ['what it has', { ...order, applied: { report, rejected: [] } }],
  ['what it could not use', { ...order, applied: { report, rejected: [{ alias: 'a', reason: 'unreadable' }] } }],
])('should take a host at its word: %s', (_, outcome) => {
  expect(understoodOutcome(outcome, ['a'])).toEqual(outcome);
});

it.each<[string, unknown]>([
  ['nothing', null],
  ['no report', { rejected: [] }],
  ['a generation that is no number', { report: { ...report, generation: '1' }, rejected: [] }],
  ['a generation that no database takes', { report: { ...report, generation: 1e300 }, rejected: [] }],
  ['a generation before the first', { report: { ...report, generation: -1 }, rejected: [] }],
  ['a digest that is no text', { report: { ...report, digest: {} }, rejected: [] }],
  ['no list of what it could not use', { report, rejected: null }],
  ['a reason that is no text', { report, rejected: [{ alias: 'a', reason: 7 }] }],
])('should take for a failure an answer with %s', (_, applied) => {
  expect(understoodOutcome({ ...order, applied: applied as ApplyCertificatesResult }, ['a'])).toEqual({
    ...order,
    failure: 'The host answered something that no host worker answers',
  });
});

it('should keep no more of an answer than there can be', () => {
  const reason = 'x'.repeat(100_000);
  const rejected = ['a', 'a', 'of another', 'b'].map((alias) => ({ alias, reason }));
  const applied = { report: { ...report, digest: reason }, rejected };
  const { applied: kept } = understoodOutcome({ ...order, applied }, ['a', 'b', 'c']);
  expect(kept?.rejected.map(({ alias }) => alias)).toEqual(['a', 'b']);
  expect(kept?.report.digest).toHaveLength(64);
  expect(kept?.rejected[0]?.reason).toHaveLength(250);
  expect(understoodOutcome({ ...order, failure: reason }, []).failure).toHaveLength(250);
});
