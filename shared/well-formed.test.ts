import { wellFormed } from './well-formed.js';

it('should replace halves of characters, and keep whole ones', () => {
  expect(wellFormed('\uD83Da\uDE00\u{1F600}\uD83D')).toBe('\uFFFDa\uFFFD\u{1F600}\uFFFD');
});
