import type { RemoveHostInput } from '../shared/hosts.js';
import { promptControl } from './activity-proxies.js';
import { answerCall } from './answer-call.js';

/** Takes a host that nothing runs on out of the installation; its life in Temporal ends. An API call waits for it. */
export const removeHost = (input: RemoveHostInput): Promise<void> =>
  answerCall(() => promptControl('take it out of the installation').removeHost(input));
