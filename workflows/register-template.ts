import { CancellationScope, executeChild, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { ProbeResult } from '../shared/images.js';
import type { RegisterTemplateInput } from '../shared/templates.js';
import { promptControl, control } from './activity-proxies.js';
import { failureOf, toWorkflowFailure } from './failure-of.js';
import { onceFormerChildIsGone } from './once-former-child-is-gone.js';
import { validateUrl } from './validate-url.js';

/**
 * Registers a direct-download template: a random Up host of the zones validates the URL, and the template is Ready at
 * once, bypassing secondary storage. A URL that no host can read leaves nothing behind.
 */
export async function registerTemplate(input: RegisterTemplateInput): Promise<ProbeResult> {
  const { templateId, zoneIds } = input;
  try {
    const probe = await onceFormerChildIsGone(`${workflowInfo().workflowId}-validate-url`, (workflowId) =>
      executeChild(validateUrl, {
        args: [input],
        workflowId,
        staticSummary: 'read the first bytes of the URL from a KVM host',
      }),
    );
    await promptControl('Ready, bypassing secondary storage').recordRegistered({
      templateId,
      zoneIds,
      sizeBytes: probe.virtualSizeBytes ?? probe.sizeBytes,
    });
    setCurrentDetails(`Ready: ${probe.mirrors.map(({ url, outcome }) => `${url} ${outcome}`).join(', ')}`);
    return probe;
  } catch (error) {
    await CancellationScope.nonCancellable(() => control('forget the template').forgetTemplate({ templateId }));
    throw toWorkflowFailure(failureOf(error));
  }
}
