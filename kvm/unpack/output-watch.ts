import { SlipwayError } from '../../shared/errors.js';
import { detectCompression, MAGIC_BYTES } from './detect-compression.js';
import type { OutputFile } from './output-file.js';
import { brokenLimit, type UnpackLimits } from './unpack-limits.js';

/** Looks at what the programs have written so far. */
export class OutputWatch {
  readonly #output: OutputFile;
  readonly #limits: UnpackLimits;
  #isBeginningFine = false;

  constructor(output: OutputFile, limits: UnpackLimits) {
    this.#output = output;
    this.#limits = limits;
  }

  /**
   * @param isAll whether no more comes
   * @returns how far the unpacked file reaches
   * @throws SlipwayError SLIPWAY_UNPACK_TOO_LARGE, SLIPWAY_UNPACK_RATIO, SLIPWAY_UNPACK_NESTED, SLIPWAY_POOL_*
   */
  async look(inputBytes: number, isAll: boolean): Promise<number> {
    const state = await this.#output.state();
    const broken = brokenLimit({ ...state, inputBytes }, this.#limits);
    if (broken) throw broken;
    if (!this.#isBeginningFine) await this.#lookAtBeginning(isAll);
    this.#output.syncBehind(state.storedBytes);
    return state.outputBytes;
  }

  async #lookAtBeginning(isAll: boolean): Promise<void> {
    const head = await this.#output.head(MAGIC_BYTES);
    if (head.length < MAGIC_BYTES && !isAll) return;
    const compression = detectCompression(head);
    if (compression) throw new SlipwayError('SLIPWAY_UNPACK_NESTED', `What is packed is a ${compression} file again`);
    this.#isBeginningFine = true;
  }
}
