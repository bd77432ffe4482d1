import { sql } from 'drizzle-orm';
import { defaultSettings, SETTINGS, type SettingName, type SettingValues } from '../shared/settings.js';
import type { Database } from './client.js';
import { configuration } from './schema/index.js';

const isSettingName = (name: string): name is SettingName => Object.hasOwn(SETTINGS, name);

/** Every setting: the stored value, else the default. */
export async function readSettings(db: Pick<Database, 'select'>): Promise<SettingValues> {
  const values = defaultSettings();
  for (const { name, value } of await db.select().from(configuration)) {
    if (isSettingName(name)) values[name] = value;
  }
  return values;
}

export async function writeSettings(db: Database, values: Partial<SettingValues>): Promise<void> {
  const rows = Object.entries(values).map(([name, value]) => ({ name, value }));
  if (rows.length === 0) return;
  await db
    .insert(configuration)
    .values(rows)
    .onConflictDoUpdate({
      target: configuration.name,
      set: { value: sql`excluded.value`, updated: sql`now()` },
    });
}
