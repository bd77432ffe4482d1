import { keystoreDigest } from '../../../kvm/keystore/certificate-chain.js';
import type { ApplyCertificatesResult } from '../../../shared/certificates.js';
import { createJudge } from './judge-keystore.js';

const A = { id: 'id-a', alias: 'a', fingerprint: 'fa' };
const B = { id: 'id-b', alias: 'b', fingerprint: 'fb' };
const OTHERS = 'The host has other certificates than it was given';

const says = (
  certificates: (typeof A)[],
  { generation = 7, rejected = [] as ApplyCertificatesResult['rejected'] } = {},
): ApplyCertificatesResult => ({ report: { generation, digest: keystoreDigest(certificates) }, rejected });

const judge = (outcome: { applied?: ApplyCertificatesResult; failure?: string; without?: number[] }) => {
  const { findings, failure } = createJudge(7, [A, B])({ hostId: 'h', hostName: 'host', ...outcome });
  return {
    failure,
    findings: findings.flatMap(({ certificateIds, status, reason, isCertain }) =>
      certificateIds.map((id) => [id, status, reason, isCertain]),
    ),
  };
};

it.each([
  [
    'all it was told',
    { applied: says([B, A]) },
    null,
    [
      ['id-a', 'UPLOADED', null, true],
      ['id-b', 'UPLOADED', null, true],
    ],
  ],
  ['what was wanted of it alone', { applied: says([B]), without: [0] }, null, [['id-b', 'UPLOADED', null, true]]],
  ['none, as it should', { applied: says([]), without: [0, 1] }, null, []],
  [
    'all but one that it could not use',
    { applied: says([A], { rejected: [{ alias: 'b', reason: 'unreadable' }] }) },
    null,
    [
      ['id-a', 'UPLOADED', null, true],
      ['id-b', 'FAILED', 'unreadable', true],
    ],
  ],
  [
    'less than it was told',
    { applied: says([A]) },
    OTHERS,
    [
      ['id-a', 'FAILED', OTHERS, true],
      ['id-b', 'FAILED', OTHERS, true],
    ],
  ],
  [
    'the certificates of another generation',
    { applied: says([A, B], { generation: 8 }) },
    OTHERS,
    [
      ['id-a', 'FAILED', OTHERS, true],
      ['id-b', 'FAILED', OTHERS, true],
    ],
  ],
  [
    'nobody knows what',
    { failure: 'silence' },
    'silence',
    [
      ['id-a', 'FAILED', 'silence', false],
      ['id-b', 'FAILED', 'silence', false],
    ],
  ],
])('a host that has %s', (_, outcome, failure, findings) => {
  expect(judge(outcome)).toEqual({ failure, findings });
});

it('should keep no endless reason, nor one that no database takes', () => {
  const reason = `\0${'x'.repeat(100_000)}`;
  const kept = expect.stringMatching(/^ x{998}…$/) as string;
  const { findings } = judge({ applied: says([A], { rejected: [{ alias: 'b', reason }] }) });
  expect(findings[1]).toEqual(['id-b', 'FAILED', kept, true]);
  expect(judge({ failure: reason })).toMatchObject({ failure: kept, findings: [['id-a', 'FAILED', kept, false], {}] });
});
