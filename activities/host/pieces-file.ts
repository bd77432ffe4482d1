import { readFile } from 'node:fs/promises';
import { poolFailure } from '../../kvm/download/file-io.js';
import type { FilesystemPool } from '../../kvm/storage/filesystem-pool.js';
import { writeFileDurably } from '../../kvm/write-file-durably.js';
import type { PieceHashes } from '../../shared/images.js';
import type { TemplateCopyRef } from '../../shared/templates.js';

/** Keeps piece hashes from reading the sources until the download, which may be after a restart. */
export async function writePieces(pool: FilesystemPool, copy: TemplateCopyRef, pieces: PieceHashes): Promise<void> {
  try {
    await writeFileDurably(pool.piecesPath(copy), JSON.stringify(pieces), 0o600);
  } catch (error) {
    throw poolFailure(error);
  }
}

export async function readPieces(pool: FilesystemPool, copy: TemplateCopyRef): Promise<PieceHashes> {
  try {
    return JSON.parse(await readFile(pool.piecesPath(copy), 'utf8')) as PieceHashes;
  } catch (error) {
    throw poolFailure(error);
  }
}
