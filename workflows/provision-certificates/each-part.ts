import { CancellationScope, type ChildWorkflowOptions, workflowInfo } from '@temporalio/workflow';
import { partWorkflowId } from '../../shared/workflow-ids.js';
import { mapAtMost } from '../map-at-most.js';

/**
 * Has each part done by a child, with at most so many going on at once. One that ends early, as when it is terminated, must
 * not end those of other hosts, which it would with its parent: the first failure is thrown when all have ended.
 */
export async function eachPart<Part>(
  most: number,
  parts: readonly Part[],
  act: (part: Part, index: number) => Promise<unknown>,
): Promise<void> {
  const failures: unknown[] = [];
  await mapAtMost(most, parts, async (part, index) => {
    try {
      await act(part, index);
    } catch (error) {
      if (CancellationScope.current().consideredCancelled) throw error;
      failures.push(error);
    }
  });
  if (failures.length > 0) throw failures[0];
}

/** What the child of a part is called, and what people read of it. */
export function childOfPart(index: number, hosts: number): Pick<ChildWorkflowOptions, 'workflowId' | 'staticSummary'> {
  return { workflowId: partWorkflowId(workflowInfo(), index), staticSummary: `certificates of ${hosts} hosts` };
}
