import { long } from '../protocol/parameters.js';
import { GIB } from '../responses/disk-offering.js';

/** CloudStack's `storage.max.volume.size`. */
export const MAXIMUM_DISK_GIB = 2000;

/** A size as commands give it, in whole GiB, which CloudStack calls GB. */
export const diskSize = (description: string, options: { since?: string } = {}) =>
  long(`${description} At most ${MAXIMUM_DISK_GIB}.`, { ...options, min: 1, max: MAXIMUM_DISK_GIB });

export const toBytes = (gib: number): number => gib * GIB;
