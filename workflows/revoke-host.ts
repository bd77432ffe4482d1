import { promptControl } from './activity-proxies.js';
import { answerCall } from './answer-call.js';

/** A host was revoked: its life in Temporal ends, and what is downloaded there goes on elsewhere. */
export const revokeHost = ({ hostId }: { hostId: string }): Promise<void> =>
  answerCall(() => promptControl('nothing goes to it any more').cutOffHost({ hostId }));
