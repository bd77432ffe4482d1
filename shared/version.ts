/** As package.json has it; a test compares the two. */
export const SLIPWAY_VERSION = '0.1.0';

/**
 * Of what control workers and hosts say to each other. Raised when one of them could not do with what the other says;
 * a field that may be missing needs no new one.
 */
export const PROTOCOL_VERSION = 1;

/** A host that speaks an older one is refused. One that names none speaks the first. */
export const OLDEST_HOST_PROTOCOL = 1;

/** Versions differ in a way that matters: another patch release changes nothing between the two. */
export function isSkewed(one: string, other: string): boolean {
  const release = (version: string): string => version.split('.').slice(0, 2).join('.');
  return release(one) !== release(other);
}
