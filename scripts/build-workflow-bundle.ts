import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';

/** Bundles the built workflows once, at build time, for `workers/control-worker.ts`. Run from `dist/scripts`. */
const dist = path.join(import.meta.dirname, '..');
const { code } = await bundleWorkflowCode({ workflowsPath: path.join(dist, 'workflows', 'index.js') });
await writeFile(path.join(dist, 'workflow-bundle.js'), code);
