import { SLOT_BYTES, type Slot, type SlotPool } from './slot-pool.js';

/** What a writer needs of the file it writes to. */
export interface SlotTarget {
  slots: SlotPool;
  /** Takes a filled slot to disk and hash; gives it back by itself. */
  submit(slot: Slot): void;
  /** Set once the disk or the hash thread has failed. */
  readonly failure: Error | undefined;
}

/** One transfer's way into a file: bytes go into slots, which are handed over when they are full. */
export class FileWriter {
  readonly #target: SlotTarget;
  #slot: Slot | undefined;
  /** The slot is where a socket will put its next bytes: it must stay where it is. */
  #isReserved = false;
  /** Bytes that found no free slot. */
  #waiting: { position: number; bytes: Buffer }[] = [];
  /** Where the next bytes go that found no slot in advance. */
  #pausedAt: number | undefined;

  constructor(target: SlotTarget) {
    this.#target = target;
  }

  /** Memory for the bytes from `position` on; undefined when there is none now. */
  reserve(position: number): Buffer | undefined {
    // `write` is then told of the failure, or waits for a slot.
    if (this.#target.failure || this.#waiting.length > 0) return undefined;
    const slot = this.#slotAt(position);
    this.#isReserved = slot !== undefined;
    return slot?.buffer.subarray(slot.length);
  }

  /**
   * So many bytes were put at the start of what was reserved last.
   *
   * @returns `false` when there is no slot for the next ones before `whenWritable` has resolved: bytes that come all the
   *   same have to be copied twice
   */
  commit(bytes: number): boolean {
    if (this.#target.failure) throw this.#target.failure;
    const slot = this.#slot;
    if (!slot || !this.#isReserved) throw new Error('Nothing was reserved');
    this.#isReserved = false;
    slot.length += bytes;
    const position = slot.offset + slot.length;
    this.#submitIfFull(slot);
    if (this.#slotAt(position)) return true;
    this.#pausedAt = position;
    return false;
  }

  /** Takes a copy of bytes that were put where they do not belong. */
  withdraw(bytes: number): Buffer {
    this.#isReserved = false;
    const slot = this.#slot;
    return Buffer.from(slot?.buffer.subarray(slot.length, slot.length + bytes) ?? []);
  }

  /** `false` when the bytes wait for a slot: then nothing should be written before `whenWritable` has resolved. */
  write(position: number, bytes: Buffer): boolean {
    if (this.#target.failure) throw this.#target.failure;
    this.#isReserved = false;
    const written = this.#waiting.length > 0 ? 0 : this.#fill(position, bytes);
    if (written === bytes.length) return true;
    this.#waiting.push({ position: position + written, bytes: Buffer.from(bytes.subarray(written)) });
    return false;
  }

  async whenWritable(): Promise<void> {
    await this.#writeWaiting();
    while (this.#pausedAt !== undefined && !this.#slotAt(this.#pausedAt)) {
      if (this.#target.failure) throw this.#target.failure;
      await this.#target.slots.whenFree();
    }
    this.#pausedAt = undefined;
  }

  async #writeWaiting(): Promise<void> {
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      if (this.#target.failure) throw this.#target.failure;
      const written = this.#fill(next.position, next.bytes);
      if (written === next.bytes.length) {
        this.#waiting.shift();
      } else {
        next.position += written;
        next.bytes = next.bytes.subarray(written);
        await this.#target.slots.whenFree();
      }
    }
  }

  /** Hands a slot that is not full yet over, so that a slow source's bytes do not wait for the rest. */
  submitPartial(): void {
    if (!this.#isReserved) this.#handOver();
  }

  /** Hands everything over. Whoever reserved memory must be gone. */
  async close(): Promise<void> {
    this.#isReserved = false;
    this.#pausedAt = undefined;
    try {
      await this.#writeWaiting();
    } finally {
      this.#handOver();
    }
  }

  #handOver(): void {
    const slot = this.#slot;
    this.#slot = undefined;
    if (slot && slot.length > 0) this.#target.submit(slot);
    else if (slot) this.#target.slots.give(slot);
  }

  /** A slot that goes on at `position`. */
  #slotAt(position: number): Slot | undefined {
    if (this.#slot && this.#slot.offset + this.#slot.length !== position) this.#handOver();
    return (this.#slot ??= this.#target.slots.take(position));
  }

  /** Copies into slots as far as they reach; returns how far that was. */
  #fill(position: number, bytes: Buffer): number {
    let written = 0;
    while (written < bytes.length) {
      const slot = this.#slotAt(position + written);
      if (!slot) break;
      const count = bytes.copy(slot.buffer, slot.length, written);
      slot.length += count;
      written += count;
      this.#submitIfFull(slot);
    }
    return written;
  }

  #submitIfFull(slot: Slot): void {
    if (slot.length < SLOT_BYTES) return;
    this.#slot = undefined;
    this.#target.submit(slot);
  }
}
