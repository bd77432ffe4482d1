/** Names in the text of one event. */
const MOST = 10;

/** The first of what may be very many names, and how many more there are. */
export function nameSome(names: readonly string[]): string {
  const more = names.length > MOST ? ` and ${names.length - MOST} more` : '';
  return `${names.slice(0, MOST).join(', ')}${more}`;
}
