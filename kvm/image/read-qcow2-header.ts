import { open } from 'node:fs/promises';
import { parseQcow2Header, QCOW2_HEADER_READ_BYTES, type Qcow2Header } from './qcow2-header.js';

/** @returns the header of one of our own qcow2 files, or undefined when the file is not (yet) one */
export async function readQcow2Header(path: string): Promise<Qcow2Header | undefined> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(QCOW2_HEADER_READ_BYTES), 0, QCOW2_HEADER_READ_BYTES, 0);
    const header = parseQcow2Header(buffer.subarray(0, bytesRead));
    return 'problem' in header ? undefined : header;
  } finally {
    await file.close();
  }
}
