import { printable } from './printable.js';

it.each([
  ['as it is', 'a\u{1F600}', 'a\u{1F600}'],
  ['on one line', ' a\r\n\u2028b ', 'a b'],
  ['cut between characters', `${'x'.repeat(99)}\u{1F600}`, `${'x'.repeat(99)}\uFFFD`],
  ['without what is no character', '\uD83Da', '\uFFFDa'],
])('should give a text of a stranger %s', (_, text, printed) => {
  expect(printable(text)).toBe(printed);
});
