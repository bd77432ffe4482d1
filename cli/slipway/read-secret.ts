import { readFile } from 'node:fs/promises';
import { usageError } from './usage-error.js';

/**
 * A value that others must not see in the list of processes: `@FILE` is read from the file, `-` from standard input,
 * anything else is the value itself.
 */
export async function readSecret(option: string, text: string): Promise<string> {
  if (text !== '-' && !text.startsWith('@')) return text;
  const path = text === '-' ? '/dev/stdin' : text.slice(1);
  const value = (await readText(option, path)).trim();
  if (value === '') throw usageError(`${option}: ${path} is empty`);
  return value;
}

export const readCertificates = (path: string | undefined): Promise<string | undefined> =>
  path === undefined ? Promise.resolve(undefined) : readText('--ca', path);

async function readText(option: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw usageError(`${option}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`, error);
  }
}
