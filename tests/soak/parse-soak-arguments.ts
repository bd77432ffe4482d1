import { parseArgs } from 'node:util';

export interface SoakArguments {
  minutes: number;
  /** The same seed asks for the same operations and faults, though not at the same moments. */
  seed: number;
}

/** @throws Error that says what is wrong with them */
export function parseSoakArguments(args: string[]): SoakArguments {
  const { values } = parseArgs({
    args,
    options: { minutes: { type: 'string', default: '60' }, seed: { type: 'string', default: String(Date.now()) } },
  });
  const minutes = Number(values.minutes);
  const seed = Number(values.seed);
  if (!(minutes > 0)) throw new Error(`--minutes has to be a number above 0, not ${values.minutes}`);
  if (!Number.isSafeInteger(seed)) throw new Error(`--seed has to be a whole number, not ${values.seed}`);
  return { minutes, seed };
}
