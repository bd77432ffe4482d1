/**
 * A text of somebody who may be hostile, for a row or an event: on one line, since a NUL is taken by no database and
 * a line end makes a list hard to read, and cut where it is too long.
 *
 * @param longest in UTF-16 units, as `String.length` counts
 */
export function boundedText(text: string, longest: number): string {
  const line = text.slice(0, longest + 1).replaceAll(/\p{Cc}/gu, ' ');
  if (line.length <= longest) return line;
  // Half of a character of two would be taken by no database.
  return `${line.slice(0, longest - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
