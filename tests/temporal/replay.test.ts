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

const readHistory = (type: string, file: string): unknown =>
  JSON.parse(readFileSync(path.join(HISTORIES, type, file), 'utf8'));

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

  it.each(recorded)('%s replays %s', async (type, file) => {
    const workflowBundle = await testWorkflowBundle();
    await Worker.runReplayHistory({ workflowBundle }, readHistory(type, file), 'replayed');
  });

  it.each(Object.keys(workflows))('a change of what %s does makes its replay fail', async (type) => {
    const [file] = listJson(path.join(HISTORIES, type));
    // The history of a workflow that did something else first is what a nondeterministic change looks like.
    const changed = JSON.stringify(readHistory(type, file!))
      .replace(/"activityType":\{"name":"\w+"\}/, '"activityType":{"name":"somethingElse"}')
      .replace(/"workflowType":\{"name":"validateUrl"\},"input"/, '"workflowType":{"name":"somethingElse"},"input"');
    const workflowBundle = await testWorkflowBundle();
    await expect(Worker.runReplayHistory({ workflowBundle }, JSON.parse(changed), 'replayed')).rejects.toThrow(
      /[Nn]ondeterminism|TMPRL1100/,
    );
  });
});
