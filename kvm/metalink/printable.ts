const MAX_CHARACTERS = 100;

/** A stranger's text in a message: one line, no control characters, not long. */
export const printable = (text: string): string =>
  text
    // Cut first: what follows is not worth the time that megabytes of it would take.
    .slice(0, MAX_CHARACTERS * 4)
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .trim()
    .slice(0, MAX_CHARACTERS)
    // The cut may have left half of a character of two, which Temporal ends the whole worker for.
    .toWellFormed();
