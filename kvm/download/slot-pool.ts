/**
 * A slot stays in the processor's cache from the socket to hash and disk: with 1 MiB the kernel's share of the time is
 * half as much again. 8 MiB in all ride out a slow write without stopping the socket.
 */
export const SLOT_BYTES = 256 * 1024;
const SLOT_COUNT = 32;

export interface Slot {
  index: number;
  buffer: Buffer;
  /** Offset in the file of the first byte. */
  offset: number;
  length: number;
}

/** Shared memory between sockets, disk and hash thread: as much for any file and any number of mirrors. */
export class SlotPool {
  readonly memory: readonly SharedArrayBuffer[];
  readonly #free: Slot[];
  /** In the order they came: no writer waits for ever. */
  readonly #waiting: (() => void)[] = [];

  constructor() {
    this.memory = Array.from({ length: SLOT_COUNT }, () => new SharedArrayBuffer(SLOT_BYTES));
    this.#free = this.memory.map((shared, index) => ({ index, buffer: Buffer.from(shared), offset: 0, length: 0 }));
  }

  take(offset: number): Slot | undefined {
    const slot = this.#free.pop();
    if (slot) slot.offset = offset;
    return slot;
  }

  give(slot: Slot): void {
    slot.length = 0;
    this.#free.push(slot);
    // All of them: the first takes it, and one that has no use for it any more does not leave the others waiting.
    this.wakeAll();
  }

  /** Resolves when a slot has become free. */
  whenFree(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Also when nothing will become free any more. */
  wakeAll(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
