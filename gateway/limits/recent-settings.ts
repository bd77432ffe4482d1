import type { Database } from '../../db/client.js';
import { readSettings } from '../../db/settings.js';
import type { GlobalSettingValues } from '../../shared/settings.js';

/** How long a change of the settings may take to be noticed: no call is to read them for what every call asks. */
const SETTINGS_AGE_MS = 5_000;

/** The settings as they were a few seconds ago at most. */
export type RecentSettings = () => Promise<GlobalSettingValues>;

export function createRecentSettings(db: Database, ageMs = SETTINGS_AGE_MS): RecentSettings {
  let known: GlobalSettingValues | undefined;
  let reading: Promise<GlobalSettingValues> | undefined;
  let readMs = Number.NEGATIVE_INFINITY;

  async function read(): Promise<GlobalSettingValues> {
    const values = await readSettings(db);
    readMs = performance.now();
    return (known = values);
  }

  /** Calls that come while they are read go by what is known, and wait where nothing is. */
  return async () => {
    if (known && (reading || performance.now() - readMs < ageMs)) return known;
    reading ??= read().finally(() => (reading = undefined));
    return reading;
  };
}
