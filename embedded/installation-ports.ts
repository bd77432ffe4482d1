import { pickFreePorts, requireFreePort } from './ports.js';

/** All on 127.0.0.1. */
export interface InstallationPorts {
  /** One for each gateway. */
  gateways: number[];
  temporalUi: number;
  temporal: number;
  postgres: number;
}

export async function pickInstallationPorts(gateways: number): Promise<InstallationPorts> {
  const ports = await pickFreePorts(gateways + 3);
  const [temporalUi, temporal, postgres] = ports as [number, number, number];
  return { gateways: ports.slice(3), temporalUi, temporal, postgres };
}

/**
 * Checked before anything starts, so that the message names the port and not the component that happened to fail.
 *
 * @throws SlipwayError SLIPWAY_INSTALLATION
 */
export async function requireInstallationPorts(
  ports: InstallationPorts,
  embedded: { hasPostgres: boolean; hasTemporal: boolean },
): Promise<void> {
  for (const port of ports.gateways) await requireFreePort(port, 'the API', '--port');
  if (embedded.hasTemporal) {
    await requireFreePort(ports.temporalUi, "Temporal's Web UI", '--temporal-ui-port');
    await requireFreePort(ports.temporal, 'Temporal', '--temporal-port');
  }
  if (embedded.hasPostgres) await requireFreePort(ports.postgres, 'PostgreSQL', '--postgres-port');
}
