/** Decides which unused copies of a pool make room: pure, so that every rule is a row of a table test. */
interface UnusedCopy {
  templateId: string;
  /** What the pool gains. */
  reservedBytes: number;
}

interface Lack {
  lackingBytes: number;
  /** The template that the space is for: its own copy makes no room, for it is needed again. */
  templateId: string;
}

/**
 * As few as are enough, from the first on.
 *
 * @param unused in the order to take them
 * @returns none when all of them together are not enough: to lose them would help nobody
 */
export function chooseEvictions<Copy extends UnusedCopy>(unused: readonly Copy[], lack: Lack): Copy[] {
  const chosen: Copy[] = [];
  let lackingBytes = lack.lackingBytes;
  for (const copy of unused) {
    if (lackingBytes <= 0) break;
    if (copy.templateId === lack.templateId || copy.reservedBytes <= 0) continue;
    chosen.push(copy);
    lackingBytes -= copy.reservedBytes;
  }
  return lackingBytes <= 0 ? chosen : [];
}
