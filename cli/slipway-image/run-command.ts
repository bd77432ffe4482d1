import type { Command } from './arguments.js';
import type { ProgressDisplay } from './progress-display.js';
import type { CommandResult } from './results.js';

/** Each command loads only what it needs: half of the time of a short one would go into the rest. */
export async function runCommand(
  command: Exclude<Command, { command: 'help' }>,
  display: ProgressDisplay,
  signal: AbortSignal,
): Promise<CommandResult> {
  switch (command.command) {
    case 'fetch':
      return (await import('./fetch.js')).fetchImage(command, display, signal);
    case 'inspect':
      return (await import('./inspect.js')).inspectFile(command);
    case 'metalink':
      return (await import('./metalink.js')).readMetalink(command, signal);
    case 'probe':
      return (await import('./probe.js')).probeUrl(command, signal);
  }
}
