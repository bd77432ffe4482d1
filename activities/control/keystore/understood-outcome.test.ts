import type { ApplyCertificatesResult, KeystoreOutcome } from '../../../shared/certificates.js';
import { understoodOutcome } from './understood-outcome.js';

const order = { hostId: 'h', hostName: 'host' };
const report = { generation: 1, digest: 'd' };

it.each<[string, KeystoreOutcome]>([
  ['that it failed', { ...order, failure: 'silence' }],
  ['what it has', { ...order, applied: { report, rejected: [] } }],
  ['what it could not use', { ...order, applied: { report, rejected: [{ alias: 'a', reason: 'unreadable' }] } }],
])('should take a host at its word: %s', (_, outcome) => {
  expect(understoodOutcome(outcome)).toEqual(outcome);
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
  expect(understoodOutcome({ ...order, applied: applied as ApplyCertificatesResult })).toEqual({
    ...order,
    failure: 'The host answered something that no host worker answers',
  });
});
