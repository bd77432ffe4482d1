import { sql } from 'drizzle-orm';
import { bigint, text, timestamp, uuid } from 'drizzle-orm/pg-core';

/** Public ids are UUIDs, and there is no other id: what a user sees in a list is what stands in logs and file names. */
export const id = () => uuid().primaryKey().defaultRandom();

export const created = () => timestamp({ withTimezone: true, mode: 'string' }).notNull().defaultNow();

/** Set when the row is gone for users; kept for the history of what referred to it. */
export const removed = () => timestamp({ withTimezone: true, mode: 'string' });

export const instant = () => timestamp({ withTimezone: true, mode: 'string' });

/** A list, empty unless said otherwise. */
export const texts = () =>
  text()
    .array()
    .notNull()
    .default(sql`'{}'::text[]`);

/** As a JavaScript number: 2^53 bytes are 8 PiB, above any pool, and a bigint cannot cross Temporal as JSON. */
export const bytes = () => bigint({ mode: 'number' });
