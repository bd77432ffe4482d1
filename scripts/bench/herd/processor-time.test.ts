import { readProcessTimes } from './processor-time.js';

describe('readProcessTimes', () => {
  it.each([
    ['an ordinary name', 'node'],
    ['a name with a parenthesis and spaces', 'a) S 7 (b'],
  ])('has the parent and all four times of a process with %s', (_, name) => {
    const stat = `12 (${name}) S 7 12 12 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 99`;
    expect(readProcessTimes(stat)).toEqual({ parent: 7, ms: 1270 });
  });
});
