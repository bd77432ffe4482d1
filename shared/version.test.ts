import { readFileSync } from 'node:fs';
import path from 'node:path';
import { isSkewed, SLIPWAY_VERSION } from './version.js';

test('the version is the one of package.json', () => {
  const text = readFileSync(path.join(import.meta.dirname, '..', 'package.json'), 'utf8');
  expect(SLIPWAY_VERSION).toBe((JSON.parse(text) as { version: string }).version);
});

it.each([
  ['0.1.0', '0.1.7', false],
  ['0.1.0', '0.2.0', true],
  ['1.4.2', '2.4.2', true],
  ['1.1.0', '1.10.0', true],
])('%s and %s: skewed %p', (one, other, expected) => {
  expect(isSkewed(one, other)).toBe(expected);
});
