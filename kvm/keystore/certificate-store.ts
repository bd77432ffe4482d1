import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApplyCertificatesResult, DesiredKeystore, KeystoreReport } from '../../shared/certificates.js';
import { SlipwayError } from '../../shared/errors.js';
import { syncDirectory, writeFileDurably } from '../write-file-durably.js';
import { type AcceptedCertificate, acceptCertificates } from './accept-certificates.js';
import { chainFingerprint, keystoreDigest, readChain } from './certificate-chain.js';
import { EMPTY_INDEX, type KeystoreIndex, parseIndex } from './keystore-index.js';
import { createTrust, type Trust, type TrustedCertificate } from './trust.js';

const INDEX = 'index.json';
const MISSING =
  'a public root or an uploaded certificate: upload the certificate of its authority with ' +
  'uploadTemplateDirectDownloadCertificate';

/**
 * The certificates that this host trusts for downloads beside the public roots: `index.json`, which names them, and a PEM
 * file for each, named for its fingerprint. A set takes effect with the rename of its index: files are there before, and
 * those of the former set go afterwards, so that a crash leaves the one set or the other. What it leaves beside that goes
 * when the store is opened. Of a set that cannot be written counts what it no longer has.
 *
 * What a file holds is compared with its name at each look. One that was changed or deleted by hand is not trusted and not
 * reported, so that the control plane sees a difference and sends the set again.
 */
export class CertificateStore {
  readonly #directory: string;
  /** Where its certificates are trusted. */
  readonly trust: Trust;
  #trusted: readonly TrustedCertificate[] = [];
  /** The set that could not be written last. From a disk that can only be read nothing goes away, and is not to be trusted. */
  #unwritten: { generation: number; fingerprints: ReadonlySet<string> } | undefined;
  #report: KeystoreReport = { generation: 0, digest: keystoreDigest([]) };
  #tail: Promise<unknown> = Promise.resolve();

  private constructor(directory: string) {
    this.#directory = directory;
    this.trust = createTrust(() => this.#trusted, MISSING);
  }

  /** `directory` belongs to this store alone; it is created when missing. */
  static async open(directory: string): Promise<CertificateStore> {
    const store = new CertificateStore(directory);
    await store.#removeRemains();
    await store.report();
    return store;
  }

  /** What its files hold now. A directory that cannot be read is reported as empty: the host works on. */
  report(): Promise<KeystoreReport> {
    // Not in the middle of a change, whose half would look like damage.
    return this.#inTurn(() => this.#look());
  }

  /**
   * Makes the store equal to a set; a certificate that cannot be used is left out. To be repeated at will.
   *
   * @throws SlipwayError SLIPWAY_FENCED for an older set than it has, SLIPWAY_KEYSTORE when it cannot be written
   */
  apply({ generation, certificates }: DesiredKeystore): Promise<ApplyCertificatesResult> {
    return this.#inTurn(async () => {
      const present = await this.#readIndex();
      const latest = Math.max(present.generation, this.#unwritten?.generation ?? 0);
      if (generation < latest) {
        throw new SlipwayError(
          'SLIPWAY_FENCED',
          `The certificates of generation ${generation} were refused: this host was given those of ${latest}`,
        );
      }
      const { accepted, rejected } = acceptCertificates(certificates);
      try {
        await this.#write(generation, accepted).catch(async () => {
          // A full disk must keep nobody from being distrusted. To remove files takes no space, and makes some.
          await this.#removeOthers({ certificates: accepted });
          await this.#write(generation, accepted);
        });
        this.#unwritten = undefined;
      } catch (error) {
        this.#unwritten = { generation, fingerprints: new Set(accepted.map(({ fingerprint }) => fingerprint)) };
        const { code = 'unknown error' } = error as NodeJS.ErrnoException;
        throw new SlipwayError('SLIPWAY_KEYSTORE', `The host cannot write its certificates (${code})`, {
          cause: error,
        });
      } finally {
        // Also what a failure has left is what is trusted now.
        await this.#look();
      }
      return { report: this.#report, rejected };
    });
  }

  async #write(generation: number, accepted: readonly AcceptedCertificate[]): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    for (const { fingerprint, pem } of accepted) {
      if ((await this.#readIntact(fingerprint)) === undefined) {
        await writeFileDurably(this.#path(fingerprint), pem, 0o600);
      }
    }
    const entries = accepted.map(({ alias, fingerprint }) => ({ alias, fingerprint }));
    const index: KeystoreIndex = { generation, certificates: entries };
    await writeFileDurably(join(this.#directory, INDEX), `${JSON.stringify(index, null, 2)}\n`, 0o600);
    await this.#removeOthers(index);
  }

  /** What a crash has left beside its set: the control plane, seeing that this host has its set, tells it of none. */
  async #removeRemains(): Promise<void> {
    const index = await this.#parseIndex();
    // Of those under a damaged index the next set is made.
    if (index) await this.#removeOthers(index).catch(() => undefined);
  }

  /** Certificates of former sets, and what writes that a crash cut short have left. */
  async #removeOthers({ certificates }: Pick<KeystoreIndex, 'certificates'>): Promise<void> {
    const kept = new Set([INDEX, ...certificates.map(({ fingerprint }) => fileName(fingerprint))]);
    // Strangers' files stay, should an operator have named a directory where others keep theirs.
    const others = (await readdir(this.#directory)).filter((name) => OWN_NAME.test(name) && !kept.has(name));
    for (const name of others) await rm(join(this.#directory, name), { recursive: true, force: true });
    if (others.length > 0) await syncDirectory(this.#directory);
  }

  async #look(): Promise<KeystoreReport> {
    const { generation, certificates } = await this.#readIndex();
    const intact: AcceptedCertificate[] = [];
    for (const { alias, fingerprint } of certificates) {
      if (this.#unwritten?.fingerprints.has(fingerprint) === false) continue;
      const pem = await this.#readIntact(fingerprint);
      if (pem !== undefined) intact.push({ alias, fingerprint, pem });
    }
    const digest = keystoreDigest(intact);
    // The same list for the same certificates: another one has connections made anew.
    if (digest !== this.#report.digest) this.#trusted = intact.map(({ alias, pem }) => ({ name: alias, pem }));
    return (this.#report = { generation, digest });
  }

  async #readIndex(): Promise<KeystoreIndex> {
    // Of a damaged index nothing is trusted; its report differs from the set, which is sent again.
    return (await this.#parseIndex()) ?? EMPTY_INDEX;
  }

  async #parseIndex(): Promise<KeystoreIndex | undefined> {
    return parseIndex(await readFile(join(this.#directory, INDEX), 'utf8').catch(() => ''));
  }

  /** Undefined when it is not there or holds something else than its name says. */
  async #readIntact(fingerprint: string): Promise<string | undefined> {
    try {
      const pem = await readFile(this.#path(fingerprint), 'utf8');
      return chainFingerprint(readChain(pem)) === fingerprint ? pem : undefined;
    } catch {
      return undefined;
    }
  }

  #path(fingerprint: string): string {
    return join(this.#directory, fileName(fingerprint));
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(act, act);
    this.#tail = turn.catch(() => undefined);
    return turn;
  }
}

/** As `fileName`, `INDEX` and `writeFileDurably` name files. */
const OWN_NAME = /^(?:[0-9a-f]{64}\.pem|index\.json)(?:\.[0-9a-f]+\.tmp)?$/;

const fileName = (fingerprint: string): string => `${fingerprint}.pem`;
