import { condition } from '@temporalio/workflow';
import type { KeystoreOutcome, KeystorePlan } from '../../shared/certificates.js';
import { onHost } from '../activity-proxies.js';
import { outcomeOf, summaryOf } from './outcome-of.js';
import { createRecorder } from './record-outcomes.js';

/** How long answers wait for those of the other hosts: well within the 10 s for which an API call waits for all. */
const PATIENCE = '3 s';

/**
 * Tells each host of a plan what to trust, all at once. A host that does not answer keeps nobody waiting for what the others
 * said: that is recorded meanwhile.
 *
 * @returns what is still to be recorded
 */
export async function tellHosts(plan: KeystorePlan): Promise<KeystoreOutcome[]> {
  const record = createRecorder(plan);
  const answers: KeystoreOutcome[] = [];
  const telling = Promise.all(
    plan.hosts.map((order) => {
      const { hostId, without } = order;
      const told = { generation: plan.generation, without };
      return outcomeOf(plan, order, onHost(hostId, summaryOf(plan, order)).applyCertificates(told)).then((outcome) => {
        if (outcome) answers.push(outcome);
      });
    }),
  );
  let isOver = false;
  const over = (): boolean => (isOver = true);
  void telling.then(over, over);
  for (;;) {
    await condition(() => isOver || answers.length > 0);
    if (await condition(() => isOver, PATIENCE)) break;
    await record(answers.splice(0));
  }
  await telling;
  return answers;
}
