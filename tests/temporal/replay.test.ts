import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import * as workflows from '../../workflows/index.js';
import { testWorkflowBundle } from '../support/control-plane.js';
import { HISTORIES } from '../support/record-histories.js';

/** What an older version of the code has done must still be understood by this one. */
const recorded = Object.keys(workflows).flatMap((type) =>
  listJson(path.join(HISTORIES, type)).map((file) => [type, file] as const),
);

function listJson(directory: string): string[] {
  try {
    return readdirSync(directory).filter((file) => file.endsWith('.json'));
  } catch {
    return [];
  }
}

const readHistory = (type: string, file: string): string => readFileSync(path.join(HISTORIES, type, file), 'utf8');

/** Under its own id: ids of children are made from it. */
async function replay(text: string): Promise<void> {
  const history = JSON.parse(text) as {
    events: { workflowExecutionStartedEventAttributes?: { workflowId?: string } }[];
  };
  const workflowId = history.events[0]?.workflowExecutionStartedEventAttributes?.workflowId;
  await Worker.runReplayHistory({ workflowBundle: await testWorkflowBundle() }, history, workflowId);
}

describe('replay', () => {
  beforeAll(() => {
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } },
    });
  });

  it.each(Object.keys(workflows))('has a recorded history of %s', (type) => {
    expect(listJson(path.join(HISTORIES, type))).not.toEqual([]);
  });

  it.each(recorded)('%s replays %s', (type, file) => replay(readHistory(type, file)));

  it.each(Object.keys(workflows))('a change of what %s does makes its replay fail', async (type) => {
    const longest = listJson(path.join(HISTORIES, type))
      .map((file) => readHistory(type, file))
      .reduce((a, b) => (a.length > b.length ? a : b));
    // The history of a workflow that did something else first is what a nondeterministic change looks like.
    const changed = longest.replace(/"activityType":\{"name":"\w+"\}/, '"activityType":{"name":"somethingElse"}');
    expect(changed).not.toBe(longest);
    await expect(replay(changed)).rejects.toThrow(/[Nn]ondeterminism|TMPRL1100/);
  });
});
