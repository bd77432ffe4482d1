import { setTimeout as sleep } from 'node:timers/promises';
import { createLoginPace } from './login-pace.js';

test('a refusal takes no less than the last password that was looked at', async () => {
  const pace = createLoginPace();
  const startedMs = performance.now();
  expect(await pace.look(() => sleep(150, 'right'))).toBe('right');
  const lookedMs = performance.now();
  await pace.wait();
  // Timers may end a part of a millisecond early.
  expect(performance.now() - lookedMs).toBeGreaterThan(lookedMs - startedMs - 5);
});
