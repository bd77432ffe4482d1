import { eq } from 'drizzle-orm';
import { createControlActivities } from '../../activities/control/index.js';
import { warnOfExpiry } from '../../activities/control/keystore/warn-of-expiry.js';
import { provisionCertificate, revokeCertificate } from '../../db/certificates.js';
import { configuration, dataCenter, directDownloadCertificate, event, host } from '../../db/schema/index.js';
import { writeSettings } from '../../db/settings.js';
import {
  CERTIFICATE_SCHEDULE_ID,
  createCertificateScheduler,
} from '../../workers/control-worker/certificate-schedule.js';
import type { FakeHost } from '../support/fake-host.js';
import { useCertificates, DAY_MS } from '../support/use-certificates.js';
import { useControlPlane } from '../support/use-control-plane.js';

describe('the certificate sync', () => {
  const { plane, join } = useControlPlane();
  const { caller, add, statusOf, isStatus, upload, sync } = useCertificates({ plane });
  let first: FakeHost;
  let second: FakeHost;

  beforeEach(async () => {
    [first, second] = await Promise.all([join('host-1'), join('host-2')]);
  });

  it('asks no host when nothing is missing', async () => {
    await upload('a');
    const asked = first.timesAsked('applyCertificates') + second.timesAsked('applyCertificates');
    const { activities } = await sync();
    expect(first.timesAsked('applyCertificates') + second.timesAsked('applyCertificates')).toBe(asked);
    expect(activities).toEqual(['warnOfExpiry', 'listDueKeystores']);
  });

  it('leaves disabled zones alone', async () => {
    const a = await add('a');
    await plane.db.update(dataCenter).set({ allocationState: 'Disabled' });
    await sync();
    expect(await statusOf(a, first)).toBe('PENDING');
    await plane.db.update(dataCenter).set({ allocationState: 'Enabled' });
    await sync();
    expect(await statusOf(a, first)).toBe('UPLOADED');
  });

  it('tells of each end 30, 7 and 1 days ahead and when it is there, once each', async () => {
    const warn = createControlActivities({ ...plane }).warnOfExpiry;
    const a = await add('a', { days: 31 });
    await add('far');
    const gone = await add('gone', { days: 1 });
    await revokeCertificate(plane.db, caller, gone, undefined);
    const left = await add('left', { days: 1 });
    const { zoneId: dataCenterId, podId, clusterId } = plane.seeded;
    const removed = { name: 'removed', status: 'Removed', removed: new Date().toISOString() } as const;
    const [away] = await plane.db
      .insert(host)
      .values({ ...removed, dataCenterId, podId, clusterId })
      .returning();
    await revokeCertificate(plane.db, caller, left, undefined);
    await provisionCertificate(plane.db, caller, left, away!);
    const texts = async () =>
      (await plane.db.select().from(event).where(eq(event.type, 'DIRECT.DOWNLOAD.CERTIFICATE.EXPIRY')))
        .map(({ level, description }) => `${level} ${description.replace(/, on .*/, '')}`)
        .toSorted();
    for (const days of [31, 29, 20, 6, 5, 0.5, 0.4, -1, -2]) {
      const notAfter = new Date(Date.now() + days * DAY_MS).toISOString();
      await plane.db.update(directDownloadCertificate).set({ notAfter }).where(eq(directDownloadCertificate.id, a.id));
      // Several control workers at once, each started anew.
      await Promise.all([warn(), warn(), warnOfExpiry(plane)()]);
    }
    const [zone] = await plane.db.select().from(dataCenter).where(eq(dataCenter.id, plane.seeded.zoneId));
    const about = `Certificate a of zone ${zone!.name}`;
    expect(await texts()).toEqual([
      `ERROR ${about} has expired`,
      `WARN ${about} expires in less than 30 days`,
      `WARN ${about} expires in less than 7 days`,
      `WARN ${about} expires in less than a day`,
    ]);
    await plane.db.delete(host).where(eq(host.id, away!.id));
  });

  it('is started by a schedule that follows the setting', async () => {
    const setHours = (hours: number) =>
      writeSettings(plane.db, { 'direct.download.certificate.background.task.interval': String(hours) });
    const schedule = plane.client.schedule.getHandle(CERTIFICATE_SCHEDULE_ID);
    const shown = async () => {
      const { spec, state, policies, action } = await schedule.describe();
      return {
        // A run that cannot go on has those after it skipped until then.
        endsWithinMs: action.workflowRunTimeout,
        everyMs: spec.intervals?.map(({ every }) => every),
        isPaused: state.paused,
        overlap: policies.overlap,
      };
    };
    const follow = createCertificateScheduler(plane);
    await follow();
    expect(await shown()).toEqual({
      endsWithinMs: 6 * 3_600_000,
      everyMs: [3_600_000],
      isPaused: false,
      overlap: 'SKIP',
    });
    await setHours(6);
    await follow();
    expect(await shown()).toMatchObject({ everyMs: [6 * 3_600_000], isPaused: false });
    await setHours(0);
    await follow();
    expect(await shown()).toMatchObject({ isPaused: true });
    await setHours(2);
    await follow();
    expect(await shown()).toMatchObject({ everyMs: [2 * 3_600_000], isPaused: false });
    // One that was deleted by hand comes back.
    let nowMs = 0;
    const mend = createCertificateScheduler(plane, () => nowMs);
    await mend();
    await schedule.delete();
    await mend();
    await expect(schedule.describe()).rejects.toThrow('not found');
    nowMs = 5 * 60_000;
    await mend();
    expect(await shown()).toMatchObject({ everyMs: [2 * 3_600_000], isPaused: false });
    // A control worker that starts makes it anew, and leaves an operator's pause as it is.
    await schedule.pause('maintenance of the image servers');
    await plane.db.delete(configuration);
    await createCertificateScheduler(plane)();
    expect(await shown()).toMatchObject({ everyMs: [3_600_000], isPaused: true });
    const a = await add('a');
    await schedule.trigger();
    await isStatus(a, first, 'UPLOADED');
  });
});
