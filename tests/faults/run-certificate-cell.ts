import { setTimeout as sleep } from 'node:timers/promises';
import { awaitScheduled, type RunId } from '../support/await-step.js';
import { findFirstChild } from '../support/find-run.js';
import type { ProvingGround } from '../support/proving-ground.js';
import { CertificateOnHosts } from './certificate-on-hosts.js';
import { type Cell, mayEndIn } from './fault-matrix.js';
import type { CertificateOperation } from './operation-steps.js';
import { strike } from './strike.js';

const LOOK_EVERY_MS = 50;

/** As `runCell`, of what brings a certificate to hosts or takes it from them. */
export async function runCertificateCell(
  ground: ProvingGround,
  cell: Cell<CertificateOperation>,
  pem: string,
): Promise<string> {
  const certificate = new CertificateOnHosts(ground, pem);
  const { findRun, answer } = await BEGIN[cell.operation](certificate);
  const truth = watchTruth(certificate);
  try {
    // Right behind the change there may be no run yet: what strikes then finds the rows alone.
    const { activity, workflow: of } = cell.step;
    const workflow = activity || cell.target === 'workflow' ? await findRun() : undefined;
    const child = of === 'child' ? await findFirstChild(ground, workflow!) : undefined;
    if (activity) await awaitScheduled(ground.temporal, child ?? workflow!, activity);
    await strike(ground, cell, { workflow, child });
    await answer.catch((error: unknown) => {
      // Hosts are told whatever the caller hears. Only who was asked, and where it is written down, may be at a loss.
      if (cell.target !== 'gateway' && cell.target !== 'PostgreSQL') throw error;
    });
    await ground.isWhole();
    const { isResumed } = await certificate.settles(mayEndIn(cell));
    await ground.test.leavesNothing();
    await certificate.isKnown();
    const statuses = await certificate.statuses();
    if (statuses.includes('FAILED')) {
      await certificate.sync();
      await certificate.settles(['UPLOADED']);
    }
    await truth.stop();
    return `${statuses.join(', ')}${isResumed ? ', by the loop of certificates that wait' : ''}`;
  } finally {
    await truth.stop().catch(() => undefined);
    await remove(certificate);
  }
}

interface Begun {
  /** The workflow that does it, once it has been started. */
  findRun: () => Promise<RunId>;
  /** What the call comes to. */
  answer: Promise<unknown>;
}

/** Brings hosts to where the operation can begin, and asks for it. Resolves when it is asked for. */
const BEGIN: Record<CertificateOperation, (certificate: CertificateOnHosts) => Promise<Begun>> = {
  async 'certificate push'(certificate) {
    const answer = quiet(certificate.upload());
    await certificate.isWanted(true);
    return { answer, findRun: () => certificate.provisioning() };
  },
  async 'certificate revocation'(certificate) {
    await certificate.upload();
    const former = await certificate.provisioning();
    const answer = quiet(certificate.revoke());
    await certificate.isWanted(false);
    return { answer, findRun: () => certificate.provisioning(former.runId) };
  },
  async 'certificate sync'(certificate) {
    await certificate.uploadInVain();
    const findRun = await certificate.sync();
    return { answer: Promise.resolve(), findRun };
  },
};

/** A call that fails while something else is waited for must not end the process. */
function quiet<Result>(call: Promise<Result>): Promise<Result> {
  call.catch(() => undefined);
  return call;
}

/** The next cell finds hosts without certificates. */
async function remove(certificate: CertificateOnHosts): Promise<void> {
  await certificate.revoke();
  await certificate.settles(['REVOKED']);
  await certificate.isKnown();
}

/** Looks all the while whether hosts have what they are said to have confirmed. */
function watchTruth(certificate: CertificateOnHosts): { stop(): Promise<void> } {
  let isOver = false;
  const watching = quiet(
    (async () => {
      while (!isOver) {
        await certificate.isTrue();
        await sleep(LOOK_EVERY_MS);
      }
    })(),
  );
  return {
    async stop() {
      isOver = true;
      await watching;
    },
  };
}
