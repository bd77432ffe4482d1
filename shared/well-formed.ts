/**
 * A text without halves of characters of two, as cuts and escapes in JSON leave them. Temporal ends the whole worker that
 * has one in a message, and no database takes one in JSON.
 */
export const wellFormed = (text: string): string => text.replaceAll(/\p{Cs}/gu, '\uFFFD');
