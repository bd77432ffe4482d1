import { CancellationScope, executeChild, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { RefreshTemplateInput } from '../shared/templates.js';
import { control } from './activity-proxies.js';
import { failJob } from './fail-job.js';
import { onceFormerChildIsGone } from './once-former-child-is-gone.js';
import { validateUrl } from './validate-url.js';

/**
 * Makes a new generation of a template whose image has changed at its source: a host reads the URL again, and from then
 * on deployments stage what is there now, beside the copies that disks stand on. A URL that no host can read changes
 * nothing.
 */
export async function refreshTemplate(input: RefreshTemplateInput): Promise<void> {
  try {
    const begun = await control('what was registered?').beginRefresh(input);
    if (!begun) return;
    const probe = await onceFormerChildIsGone(`${workflowInfo().workflowId}-validate-url`, (workflowId) =>
      executeChild(validateUrl, {
        args: [begun],
        workflowId,
        staticSummary: 'read the first bytes of the URL from a KVM host',
      }),
    );
    await CancellationScope.nonCancellable(() =>
      control('a new generation').recordRefreshed({
        ...input,
        sizeBytes: probe.virtualSizeBytes ?? probe.sizeBytes,
      }),
    );
    setCurrentDetails('Refreshed: who needs it next downloads it anew');
  } catch (error) {
    await failJob(error, (end) => control('tell why not').recordNotRefreshed({ ...input, ...end }));
  }
}
