import { failureOf, toWorkflowFailure } from './failure-of.js';

/** For a workflow that an API call waits for: what fails in it is what the call is answered with. */
export async function answerCall<Answer>(work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    throw toWorkflowFailure(failureOf(error));
  }
}
