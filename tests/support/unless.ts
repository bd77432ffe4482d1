/**
 * Tests that need what not every machine has, such as root, or a kernel with VLANs: skipped where it is missing, under a
 * name that says what, since there they could only fail. scripts/test says how many were skipped.
 *
 * @param obstacle what is missing; undefined when nothing is
 */
export function describeUnless(obstacle: string | undefined, name: string, tests: () => void): void {
  if (obstacle === undefined) describe(name, tests);
  else describe.skip(`${name}: ${obstacle}`, tests);
}

/** As `describeUnless`, for one test. */
export function itUnless(obstacle: string | undefined, name: string, test: () => Promise<void>): void {
  if (obstacle === undefined) it(name, test);
  else it.skip(`${name}: ${obstacle}`, test);
}
