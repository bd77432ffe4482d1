import { and, eq } from 'drizzle-orm';
import { randomBytes } from 'node:crypto';
import { orderedKeystore } from '../../activities/host/ordered-keystore.js';
import { provisionCertificate, revokeCertificate } from '../../db/certificates.js';
import { directDownloadCertificateHostMap as map, event, host } from '../../db/schema/index.js';
import { keystoreDigest } from '../../kvm/keystore/certificate-chain.js';
import type { DesiredKeystore } from '../../shared/certificates.js';
import { certificateWorkflowId, hostWorkflowId, partWorkflowId } from '../../shared/workflow-ids.js';
import { provisionPending } from '../../workers/control-worker/provision-pending.js';
import { addZone } from '../support/add-zone.js';
import type { FakeHost } from '../support/fake-host.js';
import { gate } from '../support/gate.js';
import { refusal } from '../support/host-answers.js';
import { useCertificates } from '../support/use-certificates.js';
import { useControlPlane } from '../support/use-control-plane.js';
import { waitFor } from '../support/wait-for.js';

const FAILURE = 'DIRECT.DOWNLOAD.CERTIFICATE.FAILURE';
const PENDING_ACTIVITY_STATE_SCHEDULED = 1;

describe('certificates on hosts', () => {
  const { plane, join } = useControlPlane();
  const { caller, add, statusOf, isStatus, begin, provision, upload, sync } = useCertificates({ plane });
  let first: FakeHost;
  let second: FakeHost;

  beforeEach(async () => {
    [first, second] = await Promise.all([join('host-1'), join('host-2')]);
  });

  const heldBy = (fake: FakeHost) => fake.keystore.certificates.map(({ alias }) => alias).toSorted();
  const failures = async () =>
    (await plane.db.select().from(event).where(eq(event.type, FAILURE))).map(({ description }) => description);
  const ageAll = () => plane.db.update(map).set({ lastUpdated: new Date(0).toISOString() });
  /** Stops a host; what it has said last is recorded then. */
  const stop = async (fake: FakeHost) => {
    await fake.stop();
    const life = plane.client.workflow.getHandle(hostWorkflowId(fake.hostId));
    // It may have taken a watch with it: then it is Down, and greeted.
    await waitFor('nobody takes the next watch or hello', async () => {
      const { pendingActivities } = (await life.describe()).raw;
      const waiting = (pendingActivities ?? []).filter(({ state }) => state === PENDING_ACTIVITY_STATE_SCHEDULED);
      return waiting.some(({ activityType }) => ['watchHost', 'hello'].includes(activityType?.name ?? ''));
    });
    await plane.db.update(host).set({ status: 'Down' }).where(eq(host.id, fake.hostId));
  };
  /** Has a host say nothing by itself until it is let, and then what it has by then. */
  const silence = async (fake: FakeHost) => {
    const { opened: isLet, open: tell } = gate();
    let isWatching = false;
    fake.override('watchHost', async () => {
      isWatching = true;
      await isLet;
      fake.override('watchHost', undefined);
      return fake.status();
    });
    await waitFor('it says nothing', () => Promise.resolve(isWatching));
    return tell;
  };
  /** Has a host take an order and answer only when it is let. */
  const holdBack = (fake: FakeHost) => {
    const { opened: released, open: letGo } = gate();
    let isTaken = false;
    fake.override('applyCertificates', async (told, packed) => {
      const desired = await orderedKeystore(told, packed);
      isTaken = true;
      fake.override('applyCertificates', undefined);
      await released;
      if (desired.generation < fake.keystore.generation) throw refusal('SLIPWAY_FENCED', 'older');
      fake.keystore = desired;
      return { report: fake.status().facts.keystore!, rejected: [] };
    });
    return { letGo, isTaken: () => waitFor('it is taken', () => Promise.resolve(isTaken)) };
  };

  it('are UPLOADED or REVOKED when the host has confirmed it, each host having its own set', async () => {
    const a = await upload('a');
    const b = await upload('b');
    expect([heldBy(first), heldBy(second)]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    await revokeCertificate(plane.db, caller, a, { id: second.hostId, name: second.name });
    await provision(a);
    expect([heldBy(first), heldBy(second)]).toEqual([['a', 'b'], ['b']]);
    expect([await statusOf(a, first), await statusOf(a, second)]).toEqual(['UPLOADED', 'REVOKED']);
    await revokeCertificate(plane.db, caller, b, undefined);
    await provisionCertificate(plane.db, caller, b, { id: first.hostId, name: first.name });
    await provision(b);
    expect([heldBy(first), heldBy(second)]).toEqual([['a', 'b'], []]);
    expect([await statusOf(b, first), await statusOf(b, second)]).toEqual(['UPLOADED', 'REVOKED']);
  });

  it('are brought to the hosts of each zone by a workflow of its own when several zones lack some', async () => {
    const elsewhere = await addZone(plane.db);
    const third = await join('host-3', elsewhere);
    const certificates = [await add('a'), await add('b', elsewhere)];
    expect((await sync()).children).toEqual(['equipKeystores', 'equipKeystores']);
    expect([first, second, third].map(heldBy)).toEqual([['a'], ['a'], ['b']]);
    expect(await statusOf(certificates[1]!, third)).toBe('UPLOADED');
  });

  it('are brought to the hosts of one zone when the workflow of another is terminated', async () => {
    const elsewhere = await addZone(plane.db);
    const third = await join('host-3', elsewhere);
    await Promise.all([add('a'), add('b', elsewhere)]);
    const held = [holdBack(first), holdBack(third)];
    const workflowId = `sync-${crypto.randomUUID()}`;
    const run = await plane.client.workflow.start('syncCertificates', { workflowId, taskQueue: 'control', args: [] });
    await Promise.all(held.map(({ isTaken }) => isTaken()));
    const [terminated, other] = [0, 1].map((index) =>
      plane.client.workflow.getHandle(partWorkflowId({ workflowId, runId: run.firstExecutionRunId }, index)),
    );
    await terminated!.terminate('by hand');
    const ended = run.result().catch(({ cause }: Error) => (cause as Error).message);
    // With this the parent would end, and with the parent the other one.
    await waitFor('it is told', async () => JSON.stringify((await run.fetchHistory()).events).includes('Terminated'));
    for (const { letGo } of held) letGo();
    await other!.result();
    expect(await ended).toBe('Child Workflow execution failed');
  });

  it('are brought to many hosts of a zone by workflows that tell a few each', async () => {
    // A workflow tells fifty.
    const others = await Promise.all(Array.from({ length: 50 }, (_, n) => join(`host-${n + 3}`)));
    const long = await add('long', { pem: randomBytes(64 * 1024).toString('base64') });
    const own = await add('own');
    await revokeCertificate(plane.db, caller, own, { id: second.hostId, name: second.name });
    expect((await sync()).children).toEqual(['tellKeystores', 'tellKeystores']);
    expect([first, second, ...others].map((fake) => heldBy(fake).join(' '))).toEqual([
      'long own',
      'long',
      ...others.map(() => 'long own'),
    ]);
    expect(first.keystore.certificates[0]?.pem).toBe(long.certificate);
    expect([await statusOf(own, first), await statusOf(own, second)]).toEqual(['UPLOADED', 'REVOKED']);

    // The history of whoever has all hosts of a plan told must not grow by whatever all of them say.
    const aliases = Array.from({ length: 30 }, (_, n) => `rejected-${n}`);
    const reasons = aliases.map((alias) => ({ alias, reason: 'no'.repeat(200) }));
    for (const fake of [first, second, ...others]) {
      fake.override('applyCertificates', ({ generation }) =>
        Promise.resolve({
          report: { generation, digest: keystoreDigest(fake.keystore.certificates) },
          rejected: reasons,
        }),
      );
    }
    const rejected = await Promise.all(aliases.map((alias) => add(alias)));
    expect((await sync()).handedBackBytes).toBeLessThan(64 * 1024);
    for (const fake of [first, ...others]) expect(await statusOf(rejected[29]!, fake)).toMatch(/^nono/);
  });

  it('are FAILED with the reason on a host that cannot keep them, told once, until the sync heals it', async () => {
    first.override('applyCertificates', () => Promise.reject(refusal('SLIPWAY_KEYSTORE', 'its disk is full')));
    const a = await upload('a');
    expect([await statusOf(a, first), await statusOf(a, second)]).toEqual(['its disk is full', 'UPLOADED']);
    await sync();
    expect(await failures()).toEqual(['Host host-1 has not the certificates that it should: its disk is full']);
    first.override('applyCertificates', async ({ generation }) => ({
      report: { generation, digest: 'of none' },
      rejected: [{ alias: 'a', reason: 'it is unreadable' }],
    }));
    await sync();
    expect(await statusOf(a, first)).toBe('The host has other certificates than it was given');
    first.override('applyCertificates', undefined);
    await sync();
    expect(await statusOf(a, first)).toBe('UPLOADED');
    // It lost them, and cannot have them again.
    first.override('applyCertificates', () => Promise.reject(refusal('SLIPWAY_KEYSTORE', 'its disk is full')));
    await revokeCertificate(plane.db, caller, a, undefined);
    await provision(a);
    expect([await statusOf(a, first), await statusOf(a, second)]).toEqual(['its disk is full', 'REVOKED']);
  });

  it('are recorded of the other hosts while one does not answer', async () => {
    const held = holdBack(first);
    const a = await add('a');
    const provisioned = provision(a);
    await held.isTaken();
    await isStatus(a, second, 'UPLOADED');
    expect(await statusOf(a, first)).toBe('PENDING');
    held.letGo();
    await provisioned;
    expect(await statusOf(a, first)).toBe('UPLOADED');
  });

  it('are recorded of the other hosts when some answer more than Temporal or the database takes', async () => {
    const third = await join('host-3');
    const a = await add('a');
    for (const loud of [first, second]) {
      loud.override('applyCertificates', ({ generation }) => {
        const rejected = Array.from({ length: 12 }, () => ({ alias: 'a', reason: `no\uD800${'no'.repeat(50_000)}` }));
        return Promise.resolve({ report: { generation, digest: keystoreDigest([]) }, rejected });
      });
    }
    await provision(a);
    expect(await statusOf(a, third)).toBe('UPLOADED');
    expect([await statusOf(a, first), await statusOf(a, second)]).toEqual([
      expect.stringMatching(/^no nono/),
      expect.stringMatching(/^no nono/),
    ]);
  });

  it('reach a host that was Down when it is back, and one that joins before it is Up', async () => {
    await plane.db.update(host).set({ status: 'Down' }).where(eq(host.id, second.hostId));
    const a = await upload('a');
    expect([await statusOf(a, first), await statusOf(a, second)]).toEqual(['UPLOADED', 'PENDING']);
    await second.stop();
    await second.start();
    await isStatus(a, second, 'UPLOADED');
    const third = await join('host-3');
    const isUp = and(eq(event.type, 'HOST.UP'), eq(event.resourceId, third.hostId));
    const [up] = await plane.db.select().from(event).where(isUp);
    const [given] = await plane.db.select().from(map).where(eq(map.hostId, third.hostId));
    expect(new Date(given!.lastUpdated).getTime()).toBeLessThan(new Date(up!.created).getTime());
    expect(heldBy(third)).toEqual(['a']);
    expect(await statusOf(a, third)).toBe('UPLOADED');
  });

  it('reach a host before it is Up that were uploaded while it came back', async () => {
    await stop(first);
    await add('a');
    first.override('applyCertificates', async (told, packed) => {
      first.override('applyCertificates', undefined);
      await add('b');
      first.keystore = await orderedKeystore(told, packed);
      return { report: first.status().facts.keystore!, rejected: [] };
    });
    await first.start();
    await first.isStatus('Up');
    expect(heldBy(first)).toEqual(['a', 'b']);
  });

  it('are gone from a host before it is Up that were revoked while it was told of them when it joined', async () => {
    await stop(first);
    const a = await add('a');
    // As of a host that joins after the upload.
    await plane.db.delete(map).where(eq(map.hostId, first.hostId));
    first.override('applyCertificates', async (told, packed) => {
      first.override('applyCertificates', undefined);
      first.keystore = await orderedKeystore(told, packed);
      await revokeCertificate(plane.db, caller, a, undefined);
      return { report: first.status().facts.keystore!, rejected: [] };
    });
    await first.start();
    await first.isStatus('Up');
    expect([heldBy(first), await statusOf(a, first)]).toEqual([[], 'REVOKED']);
  });

  it('reach a host before it is Up that were uploaded while it could use none of its pools', async () => {
    first.poolProblem = 'its file system is read-only';
    await first.isStatus('Alert');
    const a = await upload('a');
    expect(await statusOf(a, first)).toBe('PENDING');
    first.poolProblem = undefined;
    await first.isStatus('Up');
    expect(heldBy(first)).toEqual(['a']);
    expect(await statusOf(a, first)).toBe('UPLOADED');
  });

  it('are given again to a host whose files were deleted by hand, or that was rebuilt', async () => {
    const a = await upload('a');
    first.keystore = { ...first.keystore, certificates: [] };
    await waitFor('it has them again', () => Promise.resolve(heldBy(first).length === 1));
    await second.stop();
    second.keystore = { generation: 0, certificates: [] };
    await second.start();
    await waitFor('it has them again', () => Promise.resolve(heldBy(second).length === 1));
    await isStatus(a, first, 'UPLOADED');
    await isStatus(a, second, 'UPLOADED');
  });

  it('are given again to a host whose files were deleted before it told that it had them', async () => {
    const tell = await silence(first);
    const a = await upload('a');
    first.keystore = { ...first.keystore, certificates: [] };
    tell();
    await waitFor('it has them again', () => Promise.resolve(heldBy(first).length === 1));
    await isStatus(a, first, 'UPLOADED');
  });

  it('stay UPLOADED when word of the first comes from the host after it has confirmed the second', async () => {
    const [seen, told] = [gate(), gate()];
    let isWatching = false;
    first.override('watchHost', async () => {
      isWatching = true;
      await seen.opened;
      const status = first.status();
      await told.opened;
      first.override('watchHost', undefined);
      return status;
    });
    await waitFor('it is watched', () => Promise.resolve(isWatching));
    const a = await upload('a');
    seen.open();
    const b = await upload('b');
    const asked = first.timesAsked('applyCertificates');
    const watched = first.timesAsked('watchHost');
    told.open();
    await waitFor('it is watched again', () => Promise.resolve(first.timesAsked('watchHost') > watched));
    expect([await statusOf(a, first), await statusOf(b, first)]).toEqual(['UPLOADED', 'UPLOADED']);
    expect(first.timesAsked('applyCertificates')).toBe(asked);
  });

  it('are no longer UPLOADED where they were deleted by hand and cannot be given again', async () => {
    const a = await upload('a');
    first.override('applyCertificates', () => Promise.reject(refusal('SLIPWAY_KEYSTORE', 'its disk is full')));
    const b = await upload('b');
    expect([await statusOf(a, first), await statusOf(b, first)]).toEqual(['UPLOADED', 'its disk is full']);
    first.keystore = { ...first.keystore, certificates: [] };
    await isStatus(a, first, 'its disk is full');
  });

  it('stay on a host of an older version, which expects their texts elsewhere', async () => {
    const a = await upload('a');
    const older = ({ generation, certificates }: DesiredKeystore) => {
      first.keystore = { generation, certificates: certificates.filter(({ pem }) => pem) };
      return Promise.resolve({ report: first.status().facts.keystore!, rejected: [] });
    };
    first.override('applyCertificates', older as never);
    const b = await upload('b');
    expect(heldBy(first)).toEqual(['a']);
    expect([await statusOf(a, first), await statusOf(b, first)]).toEqual([
      'UPLOADED',
      expect.stringContaining('failed for an unknown reason'),
    ]);
  });

  it('keep no host from Up that cannot keep them', async () => {
    const a = await add('a');
    first.override('applyCertificates', async () => {
      await plane.db.update(host).set({ status: 'Down' }).where(eq(host.id, first.hostId));
      throw refusal('SLIPWAY_KEYSTORE', 'its disk is full');
    });
    await first.stop();
    await first.start();
    await isStatus(a, first, 'its disk is full');
    await first.isStatus('Up');
  });

  it('are not taken back by an order that comes late', async () => {
    const held = holdBack(first);
    const a = await add('a');
    await begin(a);
    await held.isTaken();
    const b = await upload('b');
    expect([await statusOf(a, first), await statusOf(b, first)]).toEqual(['UPLOADED', 'UPLOADED']);
    held.letGo();
    await plane.client.workflow.getHandle(certificateWorkflowId(a.id)).result();
    expect([await statusOf(a, first), await statusOf(b, first)]).toEqual(['UPLOADED', 'UPLOADED']);
    expect(heldBy(first)).toEqual(['a', 'b']);
  });

  it('are not confirmed by an answer to what was wanted before', async () => {
    const tell = await silence(second);
    const held = holdBack(first);
    const a = await add('a');
    await begin(a);
    await held.isTaken();
    await revokeCertificate(plane.db, caller, a, undefined);
    held.letGo();
    await plane.client.workflow.getHandle(certificateWorkflowId(a.id)).result();
    expect(await statusOf(a, second)).toBe('PENDING');
    tell();
    await provision(a);
    expect([await statusOf(a, first), await statusOf(a, second)]).toEqual(['REVOKED', 'REVOKED']);
  });

  it('come to hosts that know of a later generation, as after the database was restored', async () => {
    first.keystore = { generation: 1_000_000, certificates: [] };
    await first.stop();
    await first.start();
    await first.isStatus('Up');
    await waitFor('it has said so', async () => {
      const [row] = await plane.db.select().from(host).where(eq(host.id, first.hostId));
      return row!.keystoreGeneration === 1_000_000;
    });
    const a = await upload('a');
    expect(await statusOf(a, first)).toBe('UPLOADED');
    expect(first.keystore.generation).toBe(1_000_001);
  });

  it('are brought to the end when the control worker is replaced, and when the workflow was terminated', async () => {
    const held = holdBack(first);
    const a = await add('a');
    await begin(a);
    await held.isTaken();
    await plane.replaceWorker();
    held.letGo();
    await isStatus(a, first, 'UPLOADED');
    const again = holdBack(first);
    const b = await add('b');
    await begin(b);
    await again.isTaken();
    await plane.client.workflow.getHandle(certificateWorkflowId(b.id)).terminate('by hand');
    again.letGo();
    await provisionPending(plane);
    expect(await statusOf(b, first)).toBe('PENDING');
    await ageAll();
    await provisionPending(plane);
    await isStatus(b, first, 'UPLOADED');
  });
});
