import { cancelJob } from '../../client/cancel-job.js';
import { executeWorkflow } from '../../client/execute-workflow.js';
import { provisionCertificates } from '../../client/provision-certificates.js';
import { startJob } from '../../client/start-job.js';
import type { ControlPlane } from './control-plane.js';
import { type ServedGateway, serveGateway } from './serve-gateway.js';

/** The gateway in front of a real control plane, as its own process puts it together. */
export const serveControlPlane = (
  { client, db, secretBox, seeded }: ControlPlane,
  onLog: (entry: string) => void,
): Promise<ServedGateway> =>
  serveGateway(
    {
      db,
      secretBox,
      startJob: (job) => startJob({ client, db }, job),
      cancelJob: (job) => cancelJob(client, job),
      executeWorkflow: (call) => executeWorkflow(client, call),
      provisionCertificates: (...provisioning) => provisionCertificates(client, ...provisioning),
    },
    seeded,
    onLog,
  );
