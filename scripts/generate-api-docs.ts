import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { apiDocs } from '../gateway/api-docs.js';
import { COMMANDS } from '../gateway/commands/index.js';

/** Writes `docs/api/` from the declarations of the commands; a test fails when it is not current. */
const directory = path.resolve('docs', 'api');
mkdirSync(directory, { recursive: true });
for (const [name, text] of apiDocs(COMMANDS)) writeFileSync(path.join(directory, name), text);
