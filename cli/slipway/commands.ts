import type { PoolType } from '../../shared/hosts.js';
import type { PlaceOptions } from './host-places.js';

interface Common {
  isJson: boolean;
}

export interface OnHost extends Common {
  places: PlaceOptions;
}

/** How a machine without an account reaches a gateway. Token and proxy may be `@FILE` or `-`: they are not read here. */
export interface WithToken extends OnHost {
  gateway: string;
  token: string;
  certificateFile?: string | undefined;
  allowsHttp: boolean;
}

export interface NewPool {
  path: string;
  type: PoolType;
  /** Of a pool that was made by createStoragePool; otherwise the directory says, or gets, its own. */
  poolId?: string | undefined;
}

export interface JoinCommand extends WithToken {
  command: 'host join';
  name?: string | undefined;
  pools: NewPool[];
  libvirtUri: string;
  guestBridge?: string | undefined;
  guestVlanInterface?: string | undefined;
  proxy?: string | undefined;
  /** Beside TEMPORAL_… of our own environment. */
  temporal: Record<string, string>;
  isStarting: boolean;
  isForced: boolean;
}

export interface RotateKeysCommand extends WithToken {
  command: 'host rotate-keys';
  /** Whether what was sealed to the former keys is given up. */
  dropsFormer: boolean;
}

export interface LeaveCommand extends OnHost {
  command: 'host leave';
  credentialsFile?: string | undefined;
  stopsVirtualMachines: boolean;
  /** An admin has removed it from the installation. */
  isRemoved: boolean;
}

export interface RevokeCommand extends Common {
  command: 'host revoke';
  /** Name or id. */
  host: string;
  credentialsFile?: string | undefined;
  isForced: boolean;
}

export interface TokenCommand extends Common {
  command: 'host token';
  /** Name or id of either. */
  cluster?: string | undefined;
  host?: string | undefined;
  expirySeconds?: string | undefined;
  credentialsFile?: string | undefined;
}

export interface DoctorCommand extends OnHost {
  command: 'doctor';
  libvirtUri: string;
}

export interface MigrateCommand extends Common {
  command: 'migrate';
}

export interface CreateAdminCommand extends Common {
  command: 'create-admin';
  output: string;
  endpoint: string;
  isForced: boolean;
}

export type Command =
  | JoinCommand
  | RotateKeysCommand
  | LeaveCommand
  | RevokeCommand
  | TokenCommand
  | DoctorCommand
  | MigrateCommand
  | CreateAdminCommand;
