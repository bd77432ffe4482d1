import { SlipwayError } from '../../shared/errors.js';
import type { TemplateCopyRef } from '../../shared/templates.js';
import { assertUuid } from '../uuid.js';

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const PARTIAL = new RegExp(`^(${UUID})\\.g(\\d+)\\.e(\\d+)\\.partial(?:\\..+)?$`);
const INSTALLED = new RegExp(`^(${UUID})\\.g(\\d+)\\.e(\\d+)$`);
const VOLUME = new RegExp(`^(${UUID})\\.(\\d+)(?:\\.creating\\..+)?$`);

/** Names on a pool are made from ids and numbers only, never from what a URL or a user says (CVE-2026-25077). */
export function templateFileName({ templateId, generation, epoch }: TemplateCopyRef): string {
  assertUuid(templateId, 'template id');
  return `${templateId}.g${wholeNumber(generation, 'generation')}.e${wholeNumber(epoch, 'epoch')}`;
}

/** What is downloaded. Files beside it are named after it, so that they are discarded and swept together. */
export const partialFileName = (ref: TemplateCopyRef): string => `${templateFileName(ref)}.partial`;

export function volumeFileName(volumeId: string, token: number): string {
  assertUuid(volumeId, 'volume id');
  return `${volumeId}.${wholeNumber(token, 'token')}`;
}

/** The template copy that a partial file, or a file beside it, belongs to. */
export const parsePartialFileName = (fileName: string): TemplateCopyRef | undefined => toCopy(PARTIAL.exec(fileName));

/** The template copy that an installed file is. */
export const parseTemplateFileName = (fileName: string): TemplateCopyRef | undefined =>
  toCopy(INSTALLED.exec(fileName));

function toCopy(match: RegExpExecArray | null): TemplateCopyRef | undefined {
  if (!match?.[1]) return undefined;
  return { templateId: match[1], generation: Number(match[2]), epoch: Number(match[3]) };
}

export const isInstalledTemplate = (fileName: string): boolean => INSTALLED.test(fileName);

/** Also knows the half-made files of a volume. */
export function parseVolumeFileName(fileName: string): { volumeId: string; token: number } | undefined {
  const match = VOLUME.exec(fileName);
  return match?.[1] && match[2] ? { volumeId: match[1], token: Number(match[2]) } : undefined;
}

function wholeNumber(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new SlipwayError('SLIPWAY_INTERNAL', `The ${name} must be a whole number, not ${value}`);
}
