import { probe } from '../../kvm/download/probe.js';
import { isSlipwayError } from '../../shared/errors.js';
import type { ImageFormat, MirrorReport, ProbeResult } from '../../shared/images.js';
import type { ProbeCommand } from './arguments.js';
import { openSource } from './open-source.js';
import { mirrorsOf } from './remedies.js';
import type { ProbeCommandResult } from './results.js';

/** Reads the first bytes of what a URL leads to, of each mirror of a metalink. */
export async function probeUrl(command: ProbeCommand, signal: AbortSignal): Promise<ProbeCommandResult> {
  const { registered, settings, context } = await openSource(command.url, command.source, signal);
  const as = (format: ImageFormat): Promise<ProbeResult> => probe(registered.url, format, settings, context);
  const found = await (command.format === undefined
    ? as('QCOW2').catch((error: unknown) => {
        // Then it is something else, of which the first bytes tell nothing.
        if (isSlipwayError(error) && mirrorsOf(error).some(isOtherFormat)) return as('RAW');
        throw error;
      })
    : as(command.format));
  const { isMetalink, sizeBytes = null, virtualSizeBytes = null, mirrors } = found;
  return { command: 'probe', isOk: true, isMetalink, sizeBytes, virtualSizeBytes, mirrors };
}

const isOtherFormat = ({ code }: MirrorReport): boolean => code?.startsWith('SLIPWAY_IMAGE_') === true;
