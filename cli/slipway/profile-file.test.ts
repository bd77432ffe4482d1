import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { withProfileFile } from './profile-file.js';

const PROFILE = { TEMPORAL_PROFILE: 'production' };
let home: string;
beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'slipway-profile-'));
  await mkdir(path.join(home, '.config', 'temporalio'), { recursive: true });
  await writeFile(path.join(home, '.config', 'temporalio', 'temporal.toml'), '');
});
afterAll(() => rm(home, { recursive: true }));

it.each([
  ['below HOME', () => ({ HOME: home })],
  ['where XDG_CONFIG_HOME says', () => ({ HOME: '/nowhere', XDG_CONFIG_HOME: path.join(home, '.config') })],
])('should name the file of a profile: %s', (_, environment) => {
  const file = path.join(home, '.config', 'temporalio', 'temporal.toml');
  expect(withProfileFile(PROFILE, environment())).toEqual({ ...PROFILE, TEMPORAL_CONFIG_FILE: file });
});

it.each([
  ['without a profile', { TEMPORAL_ADDRESS: 'temporal:7233' }],
  ['when the file is named', { ...PROFILE, TEMPORAL_CONFIG_FILE: '/etc/temporal.toml' }],
])('should leave alone what needs none: %s', (_, variables) => {
  expect(withProfileFile(variables, {})).toEqual(variables);
});

it.each([
  ['a file that is not there', { HOME: '/nowhere' }, 'there is no /nowhere/.config/temporalio/temporal.toml'],
  ['no HOME', {}, 'without HOME nobody knows its file'],
])('should refuse a profile with %s', (_, environment, text) => {
  expect(() => withProfileFile(PROFILE, environment)).toThrow(text);
});
