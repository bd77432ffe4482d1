import { formatDigest } from '../../shared/checksum.js';
import type { MirrorReport } from '../../shared/images.js';
import { showBytes, showDuration } from './quantities.js';
import type {
  CommandResult,
  FailureResult,
  FetchResult,
  InspectResult,
  MetalinkResult,
  ProbeCommandResult,
} from './results.js';

const LABEL_WIDTH = 10;

/** What a command found, for people. */
export function renderResult(result: CommandResult): string {
  return `${linesOf(result).join('\n')}\n`;
}

function linesOf(result: CommandResult): string[] {
  switch (result.command) {
    case 'fetch':
      return fetchLines(result);
    case 'inspect':
      return [result.path, ...imageLines(result)];
    case 'probe':
      return probeLines(result);
    case 'metalink':
      return metalinkLines(result);
  }
}

/** What went wrong, its code, and what can be done about it. */
export function renderFailure({ code, message, remedies }: FailureResult): string {
  return [`slipway-image: ${message}`, `  ${code}`, ...remedies.map((remedy) => `  ${remedy}`), ''].join('\n');
}

const labelled = (label: string, text: string): string => `  ${label.padEnd(LABEL_WIDTH)}${text}`;
const exactly = (bytes: number): string => (bytes < 1000 ? showBytes(bytes) : `${showBytes(bytes)} (${bytes} bytes)`);

const imageLines = ({
  format,
  virtualSizeBytes,
  sizeBytes,
}: Pick<InspectResult, 'format' | 'virtualSizeBytes' | 'sizeBytes'>): string[] => [
  labelled('format', format),
  labelled('disk', exactly(virtualSizeBytes)),
  labelled('file', exactly(sizeBytes)),
];

function fetchLines({ path, download, ...image }: FetchResult): string[] {
  const { sizeBytes, resumedFromBytes, compression, digests, isVerified, attempts, elapsedMs, mirrors } = download;
  const verdict = isVerified ? 'as expected' : 'compared with nothing';
  return [
    path,
    ...imageLines(image),
    ...(compression === null ? [] : [labelled('packed', `${exactly(sizeBytes)}, ${compression}`)]),
    ...digests.map((digest) => labelled('checksum', `${formatDigest(digest)}, ${verdict}`)),
    labelled(
      'took',
      [
        showDuration(elapsedMs),
        ...(attempts > 1 ? [`${attempts} checksum attempts`] : []),
        ...(resumedFromBytes > 0 ? [`${showBytes(resumedFromBytes)} were here from an earlier run`] : []),
      ].join(', '),
    ),
    ...mirrorLines(mirrors),
  ];
}

function probeLines({ isMetalink, sizeBytes, virtualSizeBytes, mirrors }: ProbeCommandResult): string[] {
  return [
    isMetalink ? 'a metalink' : 'a file',
    labelled('size', sizeBytes === null ? 'not told' : exactly(sizeBytes)),
    ...(virtualSizeBytes === null ? [] : [labelled('disk', exactly(virtualSizeBytes))]),
    ...mirrorLines(mirrors),
  ];
}

function mirrorLines(mirrors: readonly MirrorReport[]): string[] {
  return mirrors.flatMap(({ url, outcome, bytes, code, reason }, index) => [
    labelled(index === 0 ? 'sources' : '', `${outcome.padEnd(10)} ${showBytes(bytes).padStart(9)}  ${url}`),
    ...(reason === undefined
      ? []
      : [labelled('', `${' '.repeat(22)}${[code, reason.replace(`${url}: `, '')].join(': ')}`)]),
  ]);
}

function metalinkLines({ isMetalink, sizeBytes, digests, pieces, tiers, dropped }: MetalinkResult): string[] {
  return [
    isMetalink ? 'a metalink' : 'a file whose server names other sources',
    labelled('size', sizeBytes === null ? 'not told' : exactly(sizeBytes)),
    ...digests.map((digest) => labelled('checksum', formatDigest(digest))),
    ...(pieces === null
      ? []
      : [labelled('pieces', `${pieces.count} of ${showBytes(pieces.lengthBytes)}, ${pieces.algorithm}`)]),
    ...tiers.flatMap(({ priority, location, urls }) =>
      urls.map((url, index) =>
        labelled(
          index === 0 ? 'tier' : '',
          `${`${priority}${location === null ? '' : ` ${location}`}`.padEnd(10)} ${url}`,
        ),
      ),
    ),
    ...dropped.map(({ what, why }) => labelled('dropped', `${what}: ${why}`)),
  ];
}
