/** A number of decimal digits alone: no sign, fraction, exponent or base, each of which some parser reads otherwise. */
export function wholeNumber(text: string): number | undefined {
  const trimmed = text.length > 100 ? text : text.trim();
  return /^\d{1,16}$/.test(trimmed) && Number.isSafeInteger(Number(trimmed)) ? Number(trimmed) : undefined;
}
