import { sql } from 'drizzle-orm';

/**
 * For the list of what a statement selects: what comes after it in the transaction is planned once for each connection,
 * and not for each of its executions. To plan a join of many tables by their keys takes PostgreSQL longer than to run it,
 * and what comes out is the same for all keys. It would be wrong for what goes by a state, which has an index for some.
 *
 * Source: PostgreSQL, `plan_cache_mode`.
 */
export const plansOnce = sql`set_config('plan_cache_mode', 'force_generic_plan', true)`;
