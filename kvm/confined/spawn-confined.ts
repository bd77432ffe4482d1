import type { ChildProcess, StdioOptions } from 'node:child_process';

export interface Confinement {
  stdio: StdioOptions;
  /** Whether the program may use the network. */
  hasNetwork: boolean;
  maxCpuSeconds: number;
  maxAddressSpaceBytes: number;
  /** Largest file that it may write, also through a descriptor that it is given. */
  maxFileBytes: number;
  /** Further files and directories that it may read, below `/usr`, `/lib*`, `/bin` and the like, which it always may. */
  readablePaths?: readonly string[];
  env?: Record<string, string>;
}

/**
 * Starts a program that reads a stranger's bytes: as nobody, without privileges, in namespaces of its own in which
 * nothing of this host can be seen but its libraries and what `readablePaths` names. Files come and go as descriptors.
 */
export type SpawnConfined = (program: string, args: readonly string[], confinement: Confinement) => ChildProcess;
