import { poolFailure } from '../../kvm/download/file-io.js';
import { readOwnFile } from '../../kvm/read-own-file.js';
import type { FilesystemPool } from '../../kvm/storage/filesystem-pool.js';
import { writeFileDurably } from '../../kvm/write-file-durably.js';
import type { PieceHashes } from '../../shared/images.js';
import type { TemplateCopyRef } from '../../shared/templates.js';

/** Twice the longest metalink that they come from. */
const MAX_PIECES_BYTES = 32 * 1024 * 1024;

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
    const text = await readOwnFile(pool.piecesPath(copy), MAX_PIECES_BYTES);
    if (text === undefined) throw new Error('the hashes of its pieces are no longer there');
    return JSON.parse(text) as PieceHashes;
  } catch (error) {
    throw poolFailure(error);
  }
}
