import { existsSync } from 'node:fs';
import path from 'node:path';
import { SlipwayError } from '../shared/errors.js';

/** The workflows as `npm run build` has bundled them: a worker that bundles by itself needs a second and webpack. */
export function workflowBundle(): { codePath: string } {
  const codePath = path.join(import.meta.dirname, '..', 'workflow-bundle.js');
  if (!existsSync(codePath)) {
    throw new SlipwayError('SLIPWAY_INTERNAL', `There is no workflow bundle at ${codePath}: run npm run build`);
  }
  return { codePath };
}
