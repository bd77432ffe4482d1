import type { KeystoreOutcome, KeystorePlan } from '../../shared/certificates.js';
import { control } from '../activity-proxies.js';
import { inParts } from './in-parts.js';

/**
 * Records what hosts say, one call after the other: what comes while one is under way goes with the next, all of it. Calls
 * side by side would wait for each other in the database, and each costs Temporal an activity.
 *
 * @returns records outcomes; done when they are recorded
 */
export function createRecorder({
  zoneId,
  generation,
  certificates,
}: KeystorePlan): (outcomes: KeystoreOutcome[]) => Promise<void> {
  let waiting: KeystoreOutcome[] = [];
  let recording = Promise.resolve();
  const recordWaiting = async (): Promise<void> => {
    const outcomes = waiting;
    waiting = [];
    // When all hosts reject all certificates, their answers are too large together.
    for (const part of inParts(outcomes)) {
      await control('record what they have').recordKeystores({ zoneId, generation, certificates, outcomes: part });
    }
  };
  return (outcomes) => {
    waiting.push(...outcomes);
    recording = recording.then(recordWaiting);
    return recording;
  };
}
