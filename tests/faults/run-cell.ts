import type { ProvingGround } from '../support/proving-ground.js';
import type { Cell } from './fault-matrix.js';
import { type CertificateOperation, isCertificateOperation, type VmOperation } from './operation-steps.js';
import { runCertificateCell } from './run-certificate-cell.js';
import { runVmCell, type VmMaterial } from './run-vm-cell.js';

export interface Material extends VmMaterial {
  /** Of an authority that no host trusts yet. */
  certificatePem: string;
}

/**
 * Does the operation, strikes at the step, waits for the end, and leaves nothing.
 *
 * @returns how it ended, for the table
 */
export const runCell = (ground: ProvingGround, cell: Cell, material: Material): Promise<string> =>
  isCertificateOperation(cell.operation)
    ? runCertificateCell(ground, cell as Cell<CertificateOperation>, material.certificatePem)
    : runVmCell(ground, cell as Cell<VmOperation>, material);
