import type { Database } from '../../db/client.js';
import { readCapacity } from '../../db/reads/read-capacity.js';
import { readScopedSettings } from '../../db/scoped-settings.js';
import { capacitiesIn, type CapacityPlace, type CapacityResponse } from '../responses/capacity.js';

/** Reads once what there is, to tell it of many places. */
export async function capacityReader(db: Database): Promise<(place: CapacityPlace) => CapacityResponse[]> {
  const [capacity, settings] = await Promise.all([readCapacity(db), readScopedSettings(db)]);
  return (place) => capacitiesIn(place, capacity, settings);
}

/** For lists that show it only when asked. */
export const optionalCapacityReader = async (
  db: Database,
  isAsked: boolean,
): Promise<(place: CapacityPlace) => CapacityResponse[] | undefined> =>
  isAsked ? capacityReader(db) : () => undefined;
