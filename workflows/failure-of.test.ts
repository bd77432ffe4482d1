import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import { failureOf, toWorkflowFailure } from './failure-of.js';

const failed = (...details: unknown[]): ActivityFailure =>
  new ActivityFailure(
    'Activity task failed',
    'downloadTier',
    '1',
    'NON_RETRYABLE_FAILURE',
    undefined,
    ApplicationFailure.nonRetryable('no source', 'SLIPWAY_SOURCES_EXHAUSTED', ...details),
  );
const known = { code: 'SLIPWAY_SOURCES_EXHAUSTED', message: 'no source' } as const;
const causes = ['SLIPWAY_SOURCE_TLS'] as const;

it('should take the causes from what sources are reported to have done, and from what a workflow said', () => {
  const reports = [{ code: 'SLIPWAY_SOURCE_TLS' }, { bytes: 1 }, { code: 'SLIPWAY_SOURCE_TLS' }];
  expect(failureOf(failed(reports))).toEqual({ ...known, causes });
  expect(failureOf(toWorkflowFailure({ ...known, causes: [...causes] }))).toEqual({ ...known, causes });
});

/** Whoever has one machine says for it what he likes. An error here would have the workflow task fail for ever. */
it.each<[string, unknown]>([
  ['nothing', undefined],
  ['null', null],
  ['reports that are null', [null]],
  ['reports of codes that are none', [{ code: 'toString' }, { code: {} }, 7]],
  ['causes that are no list', { causes: 'SLIPWAY_SOURCE_TLS' }],
  ['a length in place of causes', { causes: { length: 1 } }],
  ['causes that are none', { causes: [null, {}, 'x'.repeat(1_000)] }],
])('should take no cause from %s', (_, details) => {
  expect(failureOf(failed(details))).toEqual(known);
});

it('should have a message that any database takes, however a host has said it', () => {
  const said = (type?: string) =>
    failureOf(ApplicationFailure.nonRetryable(`a\0b${'x'.repeat(1_000_000)}`, type)).message;
  for (const message of [said(), said('SLIPWAY_POOL_IO')]) {
    expect(message).toMatch(/^a bx+ … and \d+ characters more$/);
    expect(message.length).toBeLessThan(201_000);
  }
});
