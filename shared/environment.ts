import { SlipwayError } from './errors.js';

/** A variable that a process cannot run without. */
export function requiredVariable(environment: Record<string, string | undefined>, name: string): string {
  const value = environment[name];
  if (value === undefined || value === '') {
    throw new SlipwayError('SLIPWAY_PARAMETER_MISSING', `The environment variable ${name} is not set`);
  }
  return value;
}
