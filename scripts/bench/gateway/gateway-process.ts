import type { AddressInfo } from 'node:net';
import { openDatabase } from '../../../db/client.js';
import { createSecretBox } from '../../../db/secret-box.js';
import { createGateway } from '../../../gateway/server.js';
import { answerQuestions } from '../herd/talking-process.js';

export interface GatewayOptions {
  databaseUrl: string;
  secretKeyBase64: string;
}

const { databaseUrl, secretKeyBase64 } = JSON.parse(process.argv[2] ?? '{}') as GatewayOptions;
const { db } = openDatabase(databaseUrl, { applicationName: 'slipway-bench-gateway' });
const nothing = (): Promise<void> => Promise.resolve();
const app = createGateway(
  {
    db,
    secretBox: await createSecretBox(secretKeyBase64),
    // A call is answered before its workflow begins: what a deployment costs then is measured by `herd`.
    startJob: nothing,
    cancelJob: nothing,
    executeWorkflow: nothing,
    provisionCertificates: nothing,
  },
  {},
);
await app.listen({ host: '127.0.0.1', port: 0 });
answerQuestions(() => Promise.resolve((app.server.address() as AddressInfo).port));
