/** As any name that the API takes. */
const MAX_LENGTH = 255;

/** Follows "has to be". */
export const HOST_NAME_RULE = `at most ${MAX_LENGTH} printable characters, and not only spaces`;

/**
 * Whether people may call a host so. Lists, events and logs show the name: a line break would begin another line there, and
 * a character that turns text around would make it look like another host's.
 */
export const isHostName = (text: string): boolean =>
  text.length <= MAX_LENGTH && !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(text) && /[\p{L}\p{N}\p{P}\p{S}]/u.test(text);

export const NEW_HOST_NAME_RULE = 'letters, digits, dots, dashes and underscores, at most 63';

/** Of a machine that joins: as machines are named, and short enough for lists. */
export const isNewHostName = (text: string): boolean => /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(text);
