/**
 * A text of somebody who may be hostile, for a row or an event: on one line, since a NUL is taken by no database and
 * a line end makes a list hard to read, and cut where it is too long. Halves of characters of two, which an escape in JSON
 * can bring, no database takes either.
 *
 * @param longest in UTF-16 units, as `String.length` counts
 */
export function boundedText(text: string, longest: number): string {
  const line = text.slice(0, longest + 1).replaceAll(/[\p{Cc}\p{Cs}]/gu, ' ');
  if (line.length <= longest) return line;
  return `${line.slice(0, longest - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
