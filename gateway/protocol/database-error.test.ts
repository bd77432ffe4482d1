import { isDatabaseAway, loggable } from './database-error.js';

const failed = (code: string) =>
  new Error('Failed query: select 1 where key = $1 params: secret', {
    cause: Object.assign(new Error('it failed'), { code }),
  });

it.each([
  ['CONNECT_TIMEOUT', true],
  ['CONNECTION_CLOSED', true],
  ['ECONNREFUSED', true],
  ['ECONNRESET', true],
  ['EHOSTUNREACH', true],
  ['ENETUNREACH', true],
  ['ETIMEDOUT', true],
  ['ENOTFOUND', true],
  ['EAI_AGAIN', true],
  ['57P01', true],
  ['53300', true],
  ['40P01', true],
  ['55P03', true],
  ['57014', true],
  ['23505', false],
  ['22P02', false],
])('a query that failed with %s says that the call may be tried again: %s', (code, expected) => {
  expect(isDatabaseAway(failed(code))).toBe(expected);
});

test('what is logged has the reason, and no value of the query', () => {
  const logged = loggable(failed('23505'));
  expect(logged).toMatchObject({ code: '23505', message: 'it failed' });
  expect(JSON.stringify(logged)).not.toContain('secret');
});
