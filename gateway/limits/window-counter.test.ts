import { createWindowCounter } from './window-counter.js';

function counterAt(times: number[], intervalMs = 1000) {
  let nowMs = 5_000;
  const counter = createWindowCounter(
    () => intervalMs,
    () => nowMs,
  );
  return times.map((time) => {
    nowMs = time;
    return counter.add('a');
  });
}

test.each([
  ['within one window', [5_000, 5_001, 5_999], [1, 2, 3]],
  ['anew in the next', [5_000, 5_999, 6_000, 6_001], [1, 2, 1, 2]],
  ['anew after a long silence', [5_000, 90_000], [1, 1]],
  ['anew when the clock was set back', [5_000, 1_000, 1_500, 2_000], [1, 1, 2, 1]],
])('counts %s', (_what, times, counts) => {
  expect(counterAt(times)).toEqual(counts);
});

test('keeps what one does apart from what another does', () => {
  const counter = createWindowCounter(() => 60_000);
  counter.add('a');
  counter.add('a');
  counter.add('b');
  expect([counter.of('a'), counter.of('b'), counter.of('c')]).toEqual([2, 1, 0]);
  expect(counter.remainingMs()).toBeGreaterThan(0);
});
