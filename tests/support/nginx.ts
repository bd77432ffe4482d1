import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority } from './certificate-authority.js';
import { freePorts } from './free-ports.js';
import { waitFor } from './wait-for.js';

const PROGRAM = '/usr/sbin/nginx';

/** A request as nginx wrote it down when it was over. */
export interface NginxRequest {
  method: string;
  /** With query. */
  target: string;
  status: number;
  range: string;
  /** Number of the connection; each new one has another. */
  connection: number;
  bytes: number;
  /** Of TLS; empty without. */
  protocol: string;
  authorization: string;
  host: string;
}

/** A real web server on 127.0.0.1 and ::1, with and without TLS. */
export interface Nginx {
  /** What it serves, unless the configuration says otherwise. */
  readonly directory: string;
  readonly port: number;
  readonly tlsPort: number;
  /** The certificate of the authority that has vouched for 127.0.0.1, ::1, mirror.example and hidden.example. */
  readonly authorityPem: string;
  put(path: string, content: string | Buffer): Promise<void>;
  /** Starts the server anew, at the same ports, after a `kill` or with another configuration. */
  restart(locations?: string, server?: string): Promise<void>;
  /** Ends it as a crash does, in the middle of whatever it does. */
  kill(): Promise<void>;
  /** Sends a signal to all of its processes. */
  signal(signal: NodeJS.Signals): void;
  /** Requests for a path that are over, oldest first. */
  requests(path: string): Promise<NginxRequest[]>;
  /** Ends it and removes its files. */
  stop(): Promise<void>;
}

export interface NginxOptions {
  /** `location` blocks. */
  locations?: string;
  /** Directives of the `server` block. */
  server?: string;
}

/** Why nginx cannot run here; undefined when it can. */
export const nginxObstacle = (): string | undefined => (existsSync(PROGRAM) ? undefined : `needs ${PROGRAM}`);

const LOG_FORMAT = JSON.stringify({
  method: '$request_method',
  target: '$request_uri',
  status: '$status',
  range: '$http_range',
  connection: '$connection',
  bytes: '$body_bytes_sent',
  protocol: '$ssl_protocol',
  authorization: '$http_authorization',
  host: '$http_host',
});

export async function startNginx({ locations = '', server = '' }: NginxOptions = {}): Promise<Nginx> {
  const root = await mkdtemp(join(tmpdir(), 'slipway-nginx-'));
  const path = (name: string): string => join(root, name);
  const [port, tlsPort] = (await freePorts(2)) as [number, number];
  await mkdir(path('www'));
  const authority = await createAuthority(root);
  const names = ['IP:127.0.0.1', 'IP:::1', 'DNS:mirror.example', 'DNS:hidden.example'];
  const { certificate, key } = await authority.issue('server', names);
  let configured = { locations, server };
  let running: ChildProcess | undefined;

  const configuration = (): string => `
${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${path('nginx.pid')};
error_log ${path('error.log')};
worker_processes 1;
events { worker_connections 256; }
http {
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((one) => `${one}_temp_path ${path(one)};`).join(' ')}
  log_format requests escape=json '${LOG_FORMAT}';
  access_log ${path('access.log')} requests;
  types { application/metalink4+xml meta4; text/html html; }
  default_type application/octet-stream;
  sendfile on;
  server {
    listen 127.0.0.1:${port};
    listen [::1]:${port};
    listen 127.0.0.1:${tlsPort} ssl;
    listen [::1]:${tlsPort} ssl;
    ssl_certificate ${certificate};
    ssl_certificate_key ${key};
    root ${path('www')};
    ${configured.server}
    ${configured.locations}
  }
}
`;
  const kill = async (): Promise<void> => {
    const child = running;
    running = undefined;
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('close', resolve));
    // The whole group: a master that is killed leaves its workers serving.
    process.kill(-child.pid, 'SIGKILL');
    await ended;
  };
  const start = async (): Promise<void> => {
    await writeFile(path('nginx.conf'), configuration());
    const child = spawn(PROGRAM, ['-p', root, '-e', path('error.log'), '-c', path('nginx.conf'), '-g', 'daemon off;'], {
      stdio: 'ignore',
      detached: true,
    });
    running = child;
    await waitFor('nginx answers', async () => {
      if (child.exitCode === null) return answers(port);
      throw new Error(`nginx ended: ${(await readFile(path('error.log'), 'utf8')).slice(-2000)}`);
    });
  };
  const stop = async (): Promise<void> => {
    await kill();
    await rm(root, { recursive: true, force: true });
  };

  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    directory: path('www'),
    port,
    tlsPort,
    authorityPem: authority.certificatePem,
    put: (name, content) => writeFile(join(path('www'), name), content),
    async restart(newLocations = configured.locations, newServer = configured.server) {
      await kill();
      configured = { locations: newLocations, server: newServer };
      await start();
    },
    kill,
    signal: (signal) => void (running?.pid && process.kill(-running.pid, signal)),
    async requests(wanted) {
      const lines = (await readFile(path('access.log'), 'utf8')).trim().split('\n');
      return lines
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<keyof NginxRequest, string>)
        .filter(({ target }) => target.split('?')[0] === wanted)
        .map((request) => ({
          ...request,
          status: Number(request.status),
          connection: Number(request.connection),
          bytes: Number(request.bytes),
        }));
    },
    stop,
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
