import { CancellationScope, setCurrentDetails } from '@temporalio/workflow';
import type { DeleteTemplateInput } from '../shared/templates.js';
import { control } from './activity-proxies.js';
import { failureOf, toWorkflowFailure } from './failure-of.js';

/**
 * Deletes a template: it leaves its zones at once, in one transaction, which a cancellation comes too late for. Its
 * copies on pools are evicted later, each by a workflow of its own, when nothing stands on them.
 */
export async function deleteTemplate(input: DeleteTemplateInput): Promise<void> {
  await CancellationScope.nonCancellable(async () => {
    try {
      await control('take it from its zones').removeTemplate(input);
      setCurrentDetails('Deleted');
    } catch (error) {
      const failure = failureOf(error);
      setCurrentDetails(`**Refused**\n\n${failure.message}`);
      await control('tell why not').recordTemplateNotRemoved({ ...input, failure });
      throw toWorkflowFailure(failure);
    }
  });
}
