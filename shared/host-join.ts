import type { PoolPlace } from './hosts.js';

/** What a host and the gateway say to each other at `POST /host-join`, as JSON. */

export const HOST_JOIN_PATH = '/host-join';
/** Tells what a token is for, and does not use it up. */
export const HOST_JOIN_CHECK_PATH = `${HOST_JOIN_PATH}/check`;

export interface HostJoinCheck {
  installationId: string;
  zoneId: string;
  zoneName: string;
  clusterId: string;
  clusterName: string;
  /** Of a token for an existing host. */
  hostId?: string | undefined;
  hostName?: string | undefined;
  /** It is not a host any more until it has another key. */
  isRevoked?: boolean | undefined;
}

export interface HostJoinRequest {
  token: string;
  /** Of a new host: one that is there keeps the name that it has. */
  name: string;
  /** Of a machine that is a host already: it may have been renamed, and would become a second one by its former name. */
  hostId?: string | undefined;
  /** Base64 X25519 key. */
  publicKey: string;
  arch: string;
  /** The ids stand in the directories of the pools. */
  pools: PoolPlace[];
}

export interface HostJoinAnswer extends HostJoinCheck {
  hostId: string;
}

/** Of any answer but 200. */
export interface HostJoinFailure {
  /** Of the table of errors. */
  code: string;
  message: string;
  /** What to do. */
  remedy: string;
}
