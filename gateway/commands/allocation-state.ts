import { oneOf } from '../protocol/parameters.js';

/** Of a zone, a pod or a cluster. */
export const allocationState = (description: string) => oneOf(['Enabled', 'Disabled'], description);
