import { sql } from 'drizzle-orm';
import { bigint, integer, text, timestamp, uuid } from 'drizzle-orm/pg-core';

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

/** Where it comes in a list, as an operator says; what has the same comes in an order of its own. */
export const sortKey = () => integer().notNull().default(0);

/** As a JavaScript number: 2^53 bytes are 8 PiB, above any pool, and a bigint cannot cross Temporal as JSON. */
export const bytes = () => bigint({ mode: 'number' });
