/**
 * Who asks for what a VM shows makes a key pair for this one answer: what a guest prints, a password of its first boot
 * among it, is sealed to it on the host and stands in no history.
 */
export interface AskConsoleInput {
  vmId: string;
  hostId: string;
  hostName: string;
  question: ConsoleQuestion;
  /** Public key, in base64. */
  replyKey: string;
}

export type ConsoleQuestion =
  /** The end of what the VM wrote to its serial console. */
  | { type: 'log'; lengthBytes: number }
  /** Where its VNC display listens. */
  | { type: 'display' };

export interface SealedAnswer {
  /** JSON of a `ConsoleLog` or a `VncDisplay`. */
  sealed: string;
}

export interface ConsoleLog {
  /** What was written, in base64: a guest may write any bytes. */
  base64: string;
}

export interface VncDisplay {
  /** An address of the host that the display listens on. */
  address: string;
  port: number;
}
