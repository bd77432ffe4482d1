/** Characters as JSON: Temporal takes no message of more than 2 MiB, and a character has up to three bytes. */
const LONGEST_PART = 384 * 1024;

/** In their order, each part small enough for one message. One that is too large for any part is a part by itself. */
export function inParts<Item>(items: readonly Item[]): Item[][] {
  const parts: Item[][] = [];
  let left = 0;
  for (const item of items) {
    const { length } = JSON.stringify(item);
    if (length > left) {
      parts.push([]);
      left = LONGEST_PART;
    }
    parts.at(-1)!.push(item);
    left -= length;
  }
  return parts;
}
