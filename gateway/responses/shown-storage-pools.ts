import type { Database } from '../../db/client.js';
import { findStoragePool, type ListedStoragePool, listPoolProblems } from '../../db/reads/list-storage-pools.js';
import { readScopedSettings } from '../../db/scoped-settings.js';
import type { ResponseOf } from '../protocol/fields.js';
import { type storagePoolFields, storagePoolResponse } from './storage-pool.js';

type StoragePoolResponse = ResponseOf<typeof storagePoolFields>;

export async function shownStoragePools(
  db: Database,
  rows: readonly ListedStoragePool[],
): Promise<StoragePoolResponse[]> {
  const problems = await listPoolProblems(
    db,
    rows.map(({ pool }) => pool.id),
  );
  const settings = await readScopedSettings(db);
  return rows.map((row) => storagePoolResponse(row, problems, settings));
}

export async function shownStoragePool(db: Database, id: string): Promise<StoragePoolResponse | undefined> {
  const row = await findStoragePool(db, id);
  return row && (await shownStoragePools(db, [row]))[0];
}
