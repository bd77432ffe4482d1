import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeKeyPair } from './make-key-pair.js';
import { parsePublicKey } from './public-key.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'slipway-ssh-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const keygen = (...args: string[]) => execFileSync('ssh-keygen', args, { encoding: 'utf8' });

/** A public key as ssh-keygen writes it, and the fingerprint that it shows. */
function madeByKeygen(type: string, bits?: string): { text: string; fingerprint: string } {
  const file = path.join(directory, `${type}-${bits}`);
  keygen('-q', '-t', type, ...(bits ? ['-b', bits] : []), '-N', '', '-C', 'somebody@example', '-f', file);
  const [, fingerprint] = /MD5:([0-9a-f:]+)/.exec(keygen('-l', '-E', 'md5', '-f', `${file}.pub`))!;
  return { text: readFileSync(`${file}.pub`, 'utf8'), fingerprint: fingerprint! };
}

function sshLine(type: string, ...fields: Buffer[]): string {
  const parts = [Buffer.from(type), ...fields].flatMap((field) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(field.length);
    return [length, field];
  });
  return `${type} ${Buffer.concat(parts).toString('base64')}`;
}

const rsaLine = (bytes: number): string => sshLine('ssh-rsa', Buffer.from([1, 0, 1]), Buffer.alloc(bytes, 0x7f));

describe('parsePublicKey', () => {
  test.each([
    ['rsa', '2048'],
    ['ecdsa', '256'],
    ['ecdsa', '521'],
    ['ed25519', undefined],
  ])('takes what ssh-keygen makes: %s %s, and agrees on its fingerprint', (type, bits) => {
    const { text, fingerprint } = madeByKeygen(type, bits);
    const line = text.split(' ').slice(0, 2).join(' ');
    expect(parsePublicKey(text)).toEqual({ line, fingerprint });
    expect(parsePublicKey(Buffer.from(text).toString('base64'))).toEqual({ line, fingerprint });
  });

  const good = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHExKbaKCFtKxnTRYcaxk0lPvBCmkYR1MeNmVGYeFZBG';

  test.each([
    ['nothing', ''],
    ['a type alone', 'ssh-ed25519 '],
    ['another type than the key says', good.replace('ssh-ed25519', 'ssh-rsa')],
    ['a key that is cut off', good.slice(0, -8)],
    ['a key with more behind it', `${good.slice(0, -1)}GAAAA`],
    ['bytes that are no base64', good.replace('AAAAC3', 'AAAA*C3')],
    ['options before the key', `command="reboot" ${good}`],
    ['a private key', '-----BEGIN RSA PRIVATE KEY----- MIIEow'],
    ['an RSA key of 512 bits', rsaLine(64)],
    ['an Ed25519 key of 31 bytes', sshLine('ssh-ed25519', Buffer.alloc(31, 7))],
    ['a key on another curve', sshLine('ecdsa-sha2-nistp256', Buffer.from('nistp384'), Buffer.alloc(65, 4))],
    ['a type that sshd does not take', 'ssh-dss AAAAB3NzaC1kc3MAAAABAQAAAAEBAAAAAQEAAAABAQ=='],
  ])('refuses %s', (_what, text) => expect(() => parsePublicKey(text)).toThrow('Public key is invalid'));

  test('takes the smallest RSA key that sshd takes', () => {
    expect(parsePublicKey(rsaLine(128)).line).toBe(rsaLine(128));
  });

  test('leaves out what stands behind the key: it would be a line of its own in the guest', () => {
    expect(parsePublicKey(`${good} me\nssh-rsa AAAA`).line).toBe(good);
  });
});

test('makeKeyPair makes a private key that ssh takes, and the public one that belongs to it', async () => {
  const { publicKey, privateKey } = await makeKeyPair();
  const file = path.join(directory, 'made');
  writeFileSync(file, privateKey, { mode: 0o600 });
  expect(privateKey).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\n/);
  expect(keygen('-y', '-P', '', '-f', file).trim()).toBe(publicKey.line);
});
