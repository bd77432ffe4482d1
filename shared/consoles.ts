/** How long the host of a VM may take to answer: an API call waits. */
export const CONSOLE_ANSWER_MS = 8_000;

/** The VM whose console is asked for, and the host that has it. */
export interface ConsoleInput {
  vmId: string;
  hostId: string;
  hostName: string;
}

export interface ReadConsoleLogInput extends ConsoleInput {
  /** Of the end of what the VM wrote to its serial console. */
  lengthBytes: number;
  /**
   * Public key, in base64, of a pair that is made for this one answer: what a guest prints, a password of its first boot
   * among it, is sealed to it on the host and stands in no history.
   */
  replyKey: string;
}
