import type { HostInventory, SettledInventory } from '../../../shared/reconciliation.js';
import { isListOfObjects, isListOfTexts, isObject, nonsense } from '../host/nonsense.js';

/** @throws SlipwayError SLIPWAY_HOST_TOO_OLD when it is not what a host says that it has */
export function understoodInventory(said: HostInventory): HostInventory {
  if (isInventory(said)) return said;
  throw nonsense();
}

/** @throws SlipwayError SLIPWAY_HOST_TOO_OLD when it is not what a host says that it has done */
export function understoodSettled(said: SettledInventory): SettledInventory {
  if (isObject(said) && [said.removed, said.inUse, said.missing].every(isListOfFiles)) return said;
  throw nonsense();
}

const isInventory = (said: unknown): boolean =>
  isObject(said) &&
  typeof said['bootId'] === 'string' &&
  isListOfTexts(said['vmIds']) &&
  isListOfTexts(said['keptVmIds']) &&
  isListOfObjects(said['pools']) &&
  said['pools'].every(
    ({ poolId, files, recentFiles = [], after = '', upTo = '' }) =>
      [poolId, after, upTo].every((text) => typeof text === 'string') &&
      isListOfTexts(files) &&
      isListOfTexts(recentFiles),
  );

const isListOfFiles = (value: unknown): boolean =>
  isListOfObjects(value) &&
  value.every(({ poolId, fileName }) => typeof poolId === 'string' && typeof fileName === 'string');
