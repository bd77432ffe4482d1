import { eq, sql } from 'drizzle-orm';
import {
  defaultSettings,
  isSettingName,
  settingEntry,
  SETTINGS,
  type SettingName,
  type SettingValues,
  type GlobalSettingValues,
} from '../shared/settings.js';
import { allowedValues, parseSetting } from '../shared/setting-values.js';
import { audit } from './audit.js';
import type { Database } from './client.js';
import { configuration } from './schema/index.js';
import { shortenSessions } from './sessions.js';

/** Told of rows that are not used. */
export type Warn = (text: string) => void;

export const warnOnConsole: Warn = (text) => console.warn(text);

/** Settings that only the whole installation has: the stored value, else the default. */
export async function readSettings(
  db: Pick<Database, 'select'>,
  warn: Warn = warnOnConsole,
): Promise<GlobalSettingValues> {
  const values = defaultSettings();
  for (const { name, value } of await db.select().from(configuration)) {
    if (isSettingName(name)) values[name] = usableValue({ name, value }, values[name], warn);
  }
  return values;
}

/**
 * A row that somebody edited to what the setting cannot hold counts as missing: with a time of NaN a download would end
 * before it begins, with a wrong CIDR no URL could be read.
 */
export function usableValue<Otherwise extends string | undefined>(
  { name, value }: { name: SettingName; value: string },
  otherwise: Otherwise,
  warn: Warn,
): string | Otherwise {
  const parsed = parseSetting(name, value);
  if (parsed !== undefined) return parsed;
  const used = otherwise === undefined ? 'what counts for all' : `the default ${quoted(otherwise)}`;
  warn(`The setting ${name} has to be ${allowedValues(name)}. The database has ${quoted(value)}: ${used} is used`);
  return otherwise;
}

const quoted = (value: string): string => JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);

/** @param values as `parseSetting` gives them */
export async function writeSettings(db: Pick<Database, 'insert'>, values: Partial<SettingValues>): Promise<void> {
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

/**
 * Changes one setting, and keeps who did it. Nothing happens when it has that value.
 *
 * @param change `value` as `parseSetting` gives it
 */
export const changeSetting = (
  db: Database,
  { name, value, ...who }: { name: SettingName; value: string; accountId: string; userId?: string },
): Promise<void> => change(db, { name, who }, () => value);

/**
 * What each start of an installation asks for. To a list it adds what is missing there: the rest is what operators have
 * let through since, and would be gone after each start.
 *
 * @param values as `parseSetting` gives them
 */
export async function applyAtStart(db: Database, values: Partial<SettingValues>): Promise<void> {
  for (const [name, value] of Object.entries(values) as [SettingName, string][]) {
    const isList = LISTS.has(settingEntry(name).type);
    await change(db, { name, who: undefined }, (held) => (isList ? united(held, value) : value));
  }
}

const LISTS: ReadonlySet<string> = new Set(['cidrs', 'servers', 'countryCodes']);

const united = (...lists: string[]): string =>
  [...new Set(lists.flatMap((list) => list.split(',')))].filter((item) => item !== '').join(',');

async function change(
  db: Database,
  { name, who }: { name: SettingName; who: Parameters<typeof audit>[1] },
  wanted: (held: string) => string,
): Promise<void> {
  const { defaultValue } = SETTINGS[name];
  await db.transaction(async (tx) => {
    // A row that is not there cannot be locked: of two calls at once both would note the same old value.
    await tx.execute(sql`lock table ${configuration} in share row exclusive mode`);
    const [row] = await tx.select().from(configuration).where(eq(configuration.name, name));
    const stored = row?.value ?? defaultValue;
    // One that somebody edited to what the setting cannot hold is no list to add to.
    const value = wanted(parseSetting(name, stored) ?? defaultValue);
    if (stored === value) return;
    if (value === defaultValue) await tx.delete(configuration).where(eq(configuration.name, name));
    else await writeSettings(tx, { [name]: value });
    if (name === 'session.timeout') await shortenSessions(tx, Number(value));
    await audit(tx, who, {
      type: 'CONFIGURATION.VALUE.EDIT',
      description: `The setting ${name} was changed from ${JSON.stringify(stored)} to ${JSON.stringify(value)}`,
      resourceType: 'Configuration',
    });
  });
}
