import { noticeDue } from './certificate-expiry.js';

const DAY_MS = 86_400_000;
const NOW = new Date('2030-01-01T00:00:00Z');

it.each([
  [31, undefined],
  [30, 30],
  [7.01, 30],
  [7, 7],
  [1.01, 7],
  [1, 1],
  [0.01, 1],
  [0, 0],
  [-5, 0],
])('%d days ahead the notice of day %s is due', (days, notice) => {
  expect(noticeDue(new Date(NOW.getTime() + days * DAY_MS), NOW)).toBe(notice);
});
