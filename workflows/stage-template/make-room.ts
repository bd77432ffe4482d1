import { sleep } from '@temporalio/workflow';
import { control } from '../activity-proxies.js';

const LOOK_AGAIN_MS = 2_000;

/**
 * Has unused copies evicted from the pool of a stage that found no space there, and waits until they are gone, which is
 * not waited for longer than a minute.
 *
 * @returns whether there were any: the same host is worth another try
 */
export async function makeRoom(spoolRefId: string): Promise<boolean> {
  for (let isFirst = true; ; isFirst = false) {
    const { isLeaving } = await control('make room on the pool').makeRoomForStage({ spoolRefId, isFirst });
    if (!isLeaving) return !isFirst;
    await sleep(LOOK_AGAIN_MS, { summary: 'unused templates leave the pool' });
  }
}
