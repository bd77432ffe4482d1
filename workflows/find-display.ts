import { CONSOLE_ANSWER_MS, type ConsoleInput } from '../shared/consoles.js';
import { askOnHost } from './activity-proxies.js';
import { answerCall } from './answer-call.js';

/** Asks the host of a VM on which port its display listens; null when the VM does not run there. */
export const findDisplay = ({ vmId, hostId, hostName }: ConsoleInput): Promise<{ port: number | null }> =>
  answerCall(() => askOnHost(hostId, CONSOLE_ANSWER_MS, `find the display on ${hostName}`).vncDisplay({ vmId }));
