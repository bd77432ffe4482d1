import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ERRORS } from './errors.js';

const document = readFileSync(path.join(import.meta.dirname, '..', 'docs', 'errors.md'), 'utf8');

/** Rows of the document's tables that begin with a code. */
const documented = document
  .split('\n')
  .filter((line) => line.startsWith('| `SLIPWAY_'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
  .map(([code = '', errorcode, cserrorcode, failover, remedy]) => ({
    code: code.replaceAll('`', ''),
    errorcode: Number(errorcode),
    cserrorcode: Number(cserrorcode),
    failover,
    remedy,
  }));

describe('docs/errors.md', () => {
  it('has every code once and no other', () => {
    expect(documented.map(({ code }) => code).toSorted()).toEqual(Object.keys(ERRORS).toSorted());
  });

  it.each(Object.entries(ERRORS))('says of %s what the table says', (code, entry) => {
    expect(documented.find((row) => row.code === code)).toEqual({ code, ...entry });
  });
});
