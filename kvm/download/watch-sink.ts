import type { ByteSink } from './byte-sink.js';

/**
 * Counts silence only while the sink would take bytes: a slow disk is not the fault of the source. What the sink
 * throws goes to `onFailure` as it is, so that it cannot be taken for a failure of the transfer.
 */
export function watchSink(
  sink: ByteSink,
  timeoutMs: number,
  onSilence: () => void,
  onFailure: (error: Error) => void,
): { sink: ByteSink; stop: () => void } {
  let waiting = 0;
  const timer = setTimeout(() => (waiting > 0 ? timer.refresh() : onSilence()), timeoutMs);
  const guard = <T>(act: () => T): T => {
    timer.refresh();
    try {
      return act();
    } catch (error) {
      onFailure(error as Error);
      throw error;
    }
  };
  const { direct } = sink;
  const watched: ByteSink = {
    write: (chunk) => guard(() => sink.write(chunk)),
    async whenWritable() {
      waiting += 1;
      await sink.whenWritable().catch((error: Error) => {
        onFailure(error);
        throw error;
      });
      waiting -= 1;
      timer.refresh();
    },
    ...(direct && {
      direct: { reserve: () => direct.reserve(), commit: (bytes: number) => guard(() => direct.commit(bytes)) },
    }),
  };
  return { sink: watched, stop: () => clearTimeout(timer) };
}
