import type { Client } from '@temporalio/client';
import type { Database, Transaction } from '../../db/client.js';
import type { SecretBox } from '../../db/secret-box.js';

/** Built once, in `workers/control-worker.ts`. */
export interface ControlDependencies {
  db: Database;
  client: Client;
  secretBox: SecretBox;
}

export type { Transaction };
