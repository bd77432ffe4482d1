import { CONSOLE_ANSWER_MS, type ReadConsoleLogInput } from '../shared/consoles.js';
import { askOnHost } from './activity-proxies.js';
import { answerCall } from './answer-call.js';

/**
 * Reads the end of what a VM wrote to its serial console, on the host that it runs on or ran on last.
 *
 * @returns JSON of a `ConsoleText`, sealed to the key of whoever asks
 */
export const readConsoleLog = ({ hostId, hostName, ...question }: ReadConsoleLogInput): Promise<{ sealed: string }> =>
  answerCall(() => askOnHost(hostId, CONSOLE_ANSWER_MS, `read the console log on ${hostName}`).readConsole(question));
