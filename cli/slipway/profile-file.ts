import { existsSync } from 'node:fs';
import path from 'node:path';
import { usageError } from './usage-error.js';

/**
 * Names the file of a profile of Temporal: its clients look for it below HOME, and a service of systemd has none.
 *
 * @param variables `TEMPORAL_…` of the service
 * @param environment of whoever makes it
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when there is no such file
 */
export function withProfileFile(
  variables: Record<string, string>,
  environment: Record<string, string | undefined>,
): Record<string, string> {
  if (!variables['TEMPORAL_PROFILE'] || variables['TEMPORAL_CONFIG_FILE']) return variables;
  const { XDG_CONFIG_HOME: named, HOME: home } = environment;
  const directory = named || (home && path.join(home, '.config'));
  const file = directory && path.join(directory, 'temporalio', 'temporal.toml');
  if (file && existsSync(file)) return { ...variables, TEMPORAL_CONFIG_FILE: file };
  throw usageError(
    `TEMPORAL_PROFILE is set, and ${file ? `there is no ${file}` : 'without HOME nobody knows its file'}: set ` +
      'TEMPORAL_CONFIG_FILE, or give --temporal-address without a profile',
  );
}
