import { MOST_GENERATIONS } from '../../shared/certificates.js';

/** What the set of a host is made of. */
export interface KeystoreIndex {
  generation: number;
  certificates: { alias: string; fingerprint: string }[];
}

export const EMPTY_INDEX: KeystoreIndex = { generation: 0, certificates: [] };

/** SHA-256 as hex: it names a file. */
export const isFingerprint = (text: unknown): text is string => typeof text === 'string' && /^[0-9a-f]{64}$/.test(text);

/** Undefined when it is damaged, or not there. */
export function parseIndex(text: string): KeystoreIndex | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { generation, certificates } = (value ?? {}) as Partial<Record<keyof KeystoreIndex, unknown>>;
  if (!isGeneration(generation) || !Array.isArray(certificates) || !certificates.every(isEntry)) return undefined;
  return { generation, certificates };
}

const isGeneration = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) < MOST_GENERATIONS;

function isEntry(value: unknown): value is KeystoreIndex['certificates'][number] {
  const { alias, fingerprint } = (value ?? {}) as Record<string, unknown>;
  return typeof alias === 'string' && isFingerprint(fingerprint);
}
