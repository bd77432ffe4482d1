import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { apiDocs } from './api-docs.js';
import { COMMANDS } from './commands/index.js';
import { settingsDocs } from './settings-docs.js';

const docs = path.join(import.meta.dirname, '..', 'docs');
const directory = path.join(docs, 'api');

test('docs/api says what the commands declare; `npm run docs:api` writes it', () => {
  const onDisk = new Map(
    readdirSync(directory).map((name) => [name, readFileSync(path.join(directory, name), 'utf8')] as const),
  );
  expect(Object.fromEntries(onDisk)).toEqual(Object.fromEntries(apiDocs(COMMANDS)));
});

test('docs/settings.md says what the table of settings does; `npm run docs:api` writes it', () => {
  expect(readFileSync(path.join(docs, 'settings.md'), 'utf8')).toBe(settingsDocs());
});
