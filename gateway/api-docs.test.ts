import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { apiDocs } from './api-docs.js';
import { COMMANDS } from './commands/index.js';

const directory = path.join(import.meta.dirname, '..', 'docs', 'api');

test('docs/api says what the commands declare; `npm run docs:api` writes it', () => {
  const onDisk = new Map(
    readdirSync(directory).map((name) => [name, readFileSync(path.join(directory, name), 'utf8')] as const),
  );
  expect(Object.fromEntries(onDisk)).toEqual(Object.fromEntries(apiDocs(COMMANDS)));
});
