import { boundedText } from './bounded-text.js';

it.each([
  ['what is short', 'a word', 'a word'],
  ['as long as may be', '0123456789', '0123456789'],
  ['one too long', '0123456789a', '012345678…'],
  ['lines and a NUL', 'a\nb\0c', 'a b c'],
  ['halves of characters, and whole ones', '\uD800a\uDE00\u{1F600}', ' a \u{1F600}'],
  ['a character of two halves at the end', '012345678\u{1F600}', '012345678…'],
  ['a character of two halves at the cut', '01234567\u{1F600}ab', '01234567…'],
])('should take of %s', (_, text, bounded) => {
  expect(boundedText(text, 10)).toBe(bounded);
});
