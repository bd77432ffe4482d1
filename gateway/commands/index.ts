import { createListApis } from './apis.js';
import type { Command } from './define-command.js';
import { deleteIso } from './delete-iso.js';
import { deleteTemplate } from './delete-template.js';
import { deployVirtualMachine } from './deploy-virtual-machine.js';
import { destroyVirtualMachine } from './destroy-virtual-machine.js';
import { listOsTypes } from './guest-os.js';
import { listHosts } from './hosts.js';
import { queryAsyncJobResult } from './jobs.js';
import { listConfigurations } from './list-configurations.js';
import { listIsos } from './list-isos.js';
import { listTemplates } from './list-templates.js';
import { listVirtualMachines } from './list-virtual-machines.js';
import { rebootVirtualMachine } from './reboot-virtual-machine.js';
import { recoverVirtualMachine } from './recover-virtual-machine.js';
import { registerIso } from './register-iso.js';
import { registerTemplate } from './register-template.js';
import { listServiceOfferings } from './service-offerings.js';
import { startVirtualMachine } from './start-virtual-machine.js';
import { stopVirtualMachine } from './stop-virtual-machine.js';
import { listStoragePools } from './storage-pools.js';
import { updateConfiguration } from './update-configuration.js';
import { listZones } from './zones.js';

/** Every command of the API. */
export const COMMANDS: readonly Command[] = [
  createListApis(() => COMMANDS),
  listZones,
  listHosts,
  listStoragePools,
  listOsTypes,
  listServiceOfferings,
  registerTemplate,
  listTemplates,
  deleteTemplate,
  registerIso,
  listIsos,
  deleteIso,
  deployVirtualMachine,
  listVirtualMachines,
  startVirtualMachine,
  stopVirtualMachine,
  rebootVirtualMachine,
  destroyVirtualMachine,
  recoverVirtualMachine,
  queryAsyncJobResult,
  listConfigurations,
  updateConfiguration,
];

const BY_NAME = new Map(COMMANDS.map((command) => [command.name.toLowerCase(), command]));

export const findCommand = (name: string): Command | undefined => BY_NAME.get(name.toLowerCase());
