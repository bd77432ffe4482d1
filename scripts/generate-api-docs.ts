import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { apiDocs } from '../gateway/api-docs.js';
import { COMMANDS } from '../gateway/commands/index.js';
import { settingsDocs } from '../gateway/settings-docs.js';

/**
 * Writes `docs/api/` from the declarations of the commands, and `docs/settings.md` from the table of settings; a test
 * fails when they are not current.
 */
const directory = path.resolve('docs', 'api');
mkdirSync(directory, { recursive: true });
for (const [name, text] of apiDocs(COMMANDS)) writeFileSync(path.join(directory, name), text);
writeFileSync(path.resolve('docs', 'settings.md'), settingsDocs());
