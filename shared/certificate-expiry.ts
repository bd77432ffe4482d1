/** Days ahead of a certificate's end at which it is told of, once each; 0 is the end itself. */
const NOTICE_DAYS = [0, 1, 7, 30] as const;
export type NoticeDays = (typeof NOTICE_DAYS)[number];

export const MOST_NOTICE_DAYS = 30;

const DAY_MS = 86_400_000;

/** The latest notice that is due of a certificate that is valid until `notAfter`; undefined more than 30 days ahead. */
export const noticeDue = (notAfter: Date, now: Date): NoticeDays | undefined =>
  NOTICE_DAYS.find((days) => notAfter.getTime() - now.getTime() <= days * DAY_MS);
