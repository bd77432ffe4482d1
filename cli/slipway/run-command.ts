import type { Command } from './commands.js';

export interface CommandResult {
  /** For people. */
  text: string;
  /** Of `doctor`, when something is missing. */
  isOk?: boolean;
}

/** Each command loads only what it needs: on a host there is no database, and for a token no libvirt. */
export async function runCommand(command: Command, programs: string): Promise<CommandResult> {
  switch (command.command) {
    case 'host join':
      return (await import('./join.js')).join(command, programs);
    case 'host rotate-keys':
      return (await import('./rotate-keys.js')).rotateKeys(command, Date.now());
    case 'host leave':
      return (await import('./leave.js')).leave(command);
    case 'host revoke':
      return (await import('./revoke.js')).revoke(command);
    case 'host token':
      return (await import('./create-token.js')).createToken(command);
    case 'doctor':
      return (await import('./doctor.js')).doctor(command, Date.now());
    case 'migrate':
      return (await import('./migrate.js')).migrate(process.env);
    case 'create-admin':
      return (await import('./create-admin.js')).createAdmin(command, process.env);
  }
}
