import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { createControlActivities } from '../../activities/control/index.js';
import { executeWorkflow } from '../../client/execute-workflow.js';
import { templateStoreRef, vmTemplate } from '../../db/schema/index.js';
import type { ImageFormat } from '../../shared/images.js';
import { templateWorkflowId } from '../../shared/workflow-ids.js';
import { sweepRegistrations } from '../../workers/control-worker/sweep-registrations.js';
import { addZone } from '../support/add-zone.js';
import type { FakeHost } from '../support/fake-host.js';
import { refusal } from '../support/host-answers.js';
import { useControlPlane } from '../support/use-control-plane.js';

describe('registerTemplate', () => {
  const { plane, scenario, join } = useControlPlane();

  const register = (
    templateId: string,
    { format = 'QCOW2', zoneIds = [plane.seeded.zoneId] }: { format?: ImageFormat; zoneIds?: string[] } = {},
  ) =>
    executeWorkflow(plane.client, {
      workflowType: 'registerTemplate',
      workflowId: templateWorkflowId(templateId),
      input: { templateId, zoneIds, format },
      searchAttributes: [],
      summary: 'register',
      timeoutMs: 30_000,
    });
  const rowOf = async (templateId: string) =>
    (await plane.db.select().from(vmTemplate).where(eq(vmTemplate.id, templateId)))[0];

  it('says that no host is Up, and leaves nothing', async () => {
    const templateId = await scenario.template({ isRegistering: true });
    await expect(register(templateId)).rejects.toMatchObject({ code: 'SLIPWAY_NO_HOST' });
    expect(await rowOf(templateId)).toBeUndefined();
  });

  describe('with four hosts', () => {
    let hosts: FakeHost[];
    beforeEach(async () => {
      hosts = await Promise.all([1, 2, 3, 4].map((n) => join(`host-${n}`)));
    });

    const probes = () => hosts.reduce((sum, fake) => sum + fake.timesAsked('probeUrl'), 0);

    it('is Ready at once, bypassing secondary storage, with the size that a host has found', async () => {
      const templateId = await scenario.template({ isRegistering: true });
      await register(templateId);
      expect(await rowOf(templateId)).toMatchObject({ state: 'Active', directDownload: true, sizeBytes: 2000 });
      const refs = await plane.db.select().from(templateStoreRef).where(eq(templateStoreRef.templateId, templateId));
      expect(refs).toMatchObject([{ storeId: null, downloadState: 'BYPASSED', state: 'Ready' }]);
      expect(probes()).toBe(1);
    });

    it('registers an ISO too: the host is told what the file has to be, and its size is that of the file', async () => {
      const asked: ImageFormat[] = [];
      for (const fake of hosts) {
        fake.override('probeUrl', ({ format }) => {
          asked.push(format);
          return Promise.resolve({ isMetalink: false, sizeBytes: 1000, mirrors: [] });
        });
      }
      const templateId = await scenario.template({ isRegistering: true, format: 'ISO' });
      await register(templateId, { format: 'ISO' });
      expect(asked).toEqual(['ISO']);
      expect(await rowOf(templateId)).toMatchObject({ state: 'Active', format: 'ISO', sizeBytes: 1000 });
    });

    it('takes another host when the first does not reach the URL', async () => {
      let isFirst = true;
      for (const fake of hosts) {
        fake.override('probeUrl', () => {
          if (!isFirst) return Promise.resolve({ isMetalink: false, sizeBytes: 1, mirrors: [] });
          isFirst = false;
          return Promise.reject(refusal('SLIPWAY_SOURCES_EXHAUSTED', 'refused the connection'));
        });
      }
      const templateId = await scenario.template({ isRegistering: true });
      await register(templateId);
      expect(await rowOf(templateId)).toMatchObject({ state: 'Active', sizeBytes: 1 });
      expect(probes()).toBe(2);
    });

    it('gives up after three hosts, names each with its reason, and leaves nothing', async () => {
      for (const fake of hosts) {
        fake.override('probeUrl', () =>
          Promise.reject(refusal('SLIPWAY_SOURCES_EXHAUSTED', `no route from ${fake.name}`)),
        );
      }
      const templateId = await scenario.template({ isRegistering: true });
      const error = await register(templateId).catch((cause: unknown) => cause as Error);
      expect(error).toMatchObject({ code: 'SLIPWAY_URL_VALIDATION' });
      expect((error as Error).message).toMatch(
        /URL: http:\/\/images\.example\/disk\.qcow2 validation failed on host host-/,
      );
      expect((error as Error).message.match(/no route from/g)).toHaveLength(3);
      expect(probes()).toBe(3);
      expect(await rowOf(templateId)).toBeUndefined();
    });

    it('says plainly that the policy forbids the URL', async () => {
      for (const fake of hosts) {
        fake.override('probeUrl', () => Promise.reject(refusal('SLIPWAY_URL_FORBIDDEN', 'a loopback address')));
      }
      await expect(register(await scenario.template({ isRegistering: true }))).rejects.toMatchObject({
        code: 'SLIPWAY_URL_FORBIDDEN',
      });
    });
  });

  it('of two zones asks one host for both, and the second try is made in the other zone', async () => {
    const home = await addZone(plane.db);
    const [here, alsoHere, there] = [await join('here'), await join('also-here'), await join('there', home)];
    for (const fake of [here, alsoHere]) {
      fake.override('probeUrl', () => Promise.reject(refusal('SLIPWAY_SOURCES_EXHAUSTED', 'no way')));
    }
    const templateId = await scenario.template({ isRegistering: true });
    const zoneIds = [plane.seeded.zoneId, home.zoneId];
    await register(templateId, { zoneIds });
    const refs = await plane.db.select().from(templateStoreRef).where(eq(templateStoreRef.templateId, templateId));
    expect(refs.map(({ dataCenterId }) => dataCenterId).toSorted()).toEqual(zoneIds.toSorted());
    const { pickValidationHost } = createControlActivities(plane);
    for (let round = 0; round < 10; round++) {
      const asked = { zoneIds, excludedHostIds: [here.hostId] };
      expect(await pickValidationHost(asked)).toMatchObject({ hostId: there.hostId });
    }
  });

  it('is swept when its workflow never came, and left alone while it may still come', async () => {
    const [young, old] = [
      await scenario.template({ isRegistering: true }),
      await scenario.template({ isRegistering: true }),
    ];
    await plane.db
      .update(vmTemplate)
      .set({ created: new Date(Date.now() - 600_000).toISOString() })
      .where(eq(vmTemplate.id, old));
    await sweepRegistrations(plane);
    expect(await rowOf(old)).toBeUndefined();
    expect(await rowOf(young)).toBeDefined();
  });

  it('starts nothing for an unknown template', async () => {
    await expect(register(randomUUID())).rejects.toMatchObject({ code: 'SLIPWAY_NO_HOST' });
  });
});
