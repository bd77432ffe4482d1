import { getApiLimit, resetApiLimit } from './api-limits.js';
import { createListApis } from './apis.js';
import { attachIso } from './attach-iso.js';
import { addCluster } from './add-cluster.js';
import { cancelHostAsDegraded } from './cancel-host-as-degraded.js';
import { cancelHostMaintenance } from './cancel-host-maintenance.js';
import { cancelJob } from './cancel-job.js';
import { createConsoleEndpoint } from './create-console-endpoint.js';
import { createDiskOffering } from './create-disk-offering.js';
import { createHostJoinToken } from './create-host-join-token.js';
import { createNetwork } from './create-network.js';
import { createPod } from './create-pod.js';
import { createServiceOffering } from './create-service-offering.js';
import { createSSHKeyPair } from './create-ssh-key-pair.js';
import { createStoragePool } from './create-storage-pool.js';
import { createZone } from './create-zone.js';
import type { Command } from './define-command.js';
import { declareHostAsDegraded } from './declare-host-as-degraded.js';
import { deleteCluster } from './delete-cluster.js';
import { deleteDiskOffering } from './delete-disk-offering.js';
import { deleteHost } from './delete-host.js';
import { deleteIso } from './delete-iso.js';
import { deleteNetwork } from './delete-network.js';
import { deletePod } from './delete-pod.js';
import { deleteServiceOffering } from './delete-service-offering.js';
import { deleteSSHKeyPair } from './delete-ssh-key-pair.js';
import { deleteStoragePool } from './delete-storage-pool.js';
import { deleteTemplate } from './delete-template.js';
import { deleteZone } from './delete-zone.js';
import { deployVirtualMachine } from './deploy-virtual-machine.js';
import { detachIso } from './detach-iso.js';
import { destroyVirtualMachine } from './destroy-virtual-machine.js';
import { EMPTY_LISTS } from './empty-lists.js';
import { expungeVirtualMachine } from './expunge-virtual-machine.js';
import { getVirtualMachineConsoleLog } from './get-virtual-machine-console-log.js';
import { getVirtualMachineUserData } from './get-virtual-machine-user-data.js';
import { listOsTypes } from './guest-os.js';
import { listHosts } from './hosts.js';
import { listAsyncJobs, queryAsyncJobResult } from './jobs.js';
import { listEvents } from './list-events.js';
import { prepareHostForMaintenance } from './prepare-host-for-maintenance.js';
import { archiveEvents, deleteEvents } from './put-away-events.js';
import { listCapabilities } from './list-capabilities.js';
import { listCapacity } from './list-capacity.js';
import { listClusters } from './list-clusters.js';
import { listConfigurations } from './list-configurations.js';
import { listDiskOfferings } from './list-disk-offerings.js';
import { listHypervisorCapabilities } from './list-hypervisor-capabilities.js';
import { listHypervisors } from './list-hypervisors.js';
import { listIsos } from './list-isos.js';
import { listNetworkOfferings } from './list-network-offerings.js';
import { listNetworks } from './list-networks.js';
import { listOsCategories } from './list-os-categories.js';
import { listPods } from './list-pods.js';
import { listSSHKeyPairs } from './list-ssh-key-pairs.js';
import { listTemplates } from './list-templates.js';
import { listVirtualMachines } from './list-virtual-machines.js';
import { listVolumes } from './list-volumes.js';
import { prepareTemplate } from './prepare-template.js';
import { rebootVirtualMachine } from './reboot-virtual-machine.js';
import { recoverVirtualMachine } from './recover-virtual-machine.js';
import { refreshTemplate } from './refresh-template.js';
import { registerIso } from './register-iso.js';
import { registerSSHKeyPair } from './register-ssh-key-pair.js';
import { registerTemplate } from './register-template.js';
import { revokeHost } from './revoke-host.js';
import { resetConfiguration } from './reset-configuration.js';
import { restoreVirtualMachine } from './restore-virtual-machine.js';
import { listServiceOfferings } from './service-offerings.js';
import { startVirtualMachine } from './start-virtual-machine.js';
import { stopVirtualMachine } from './stop-virtual-machine.js';
import { cancelStorageMaintenance, enableStorageMaintenance } from './storage-maintenance.js';
import { listStorageProviders } from './list-storage-providers.js';
import { listStoragePools } from './storage-pools.js';
import { createTags, deleteTags, listTags } from './tags.js';
import { listTemplateDirectDownloadCertificates } from './list-template-direct-download-certificates.js';
import { provisionTemplateDirectDownloadCertificate } from './provision-template-direct-download-certificate.js';
import { revokeTemplateDirectDownloadCertificate } from './revoke-template-direct-download-certificate.js';
import { uploadTemplateDirectDownloadCertificate } from './upload-template-direct-download-certificate.js';
import { changeServiceForVirtualMachine, scaleVirtualMachine } from './change-service-offering.js';
import { listNics } from './list-nics.js';
import { resetSSHKeyForVirtualMachine } from './reset-ssh-key.js';
import { updateDiskOffering } from './update-disk-offering.js';
import { updateServiceOffering } from './update-service-offering.js';
import { updateCluster } from './update-cluster.js';
import { updateConfiguration } from './update-configuration.js';
import { updateHost } from './update-host.js';
import { updateIsoPermissions, updateTemplatePermissions } from './update-image-permissions.js';
import { updateIso } from './update-iso.js';
import { updateNetwork } from './update-network.js';
import { updateStoragePool } from './update-storage-pool.js';
import { updateTemplate } from './update-template.js';
import { updateVirtualMachine } from './update-virtual-machine.js';
import { updatePod } from './update-pod.js';
import { updateZone } from './update-zone.js';
import { listZones } from './zones.js';
import { disableAccount, enableAccount, lockAccount } from './account-states.js';
import { createAccount } from './create-account.js';
import { createDomain } from './create-domain.js';
import { createUser } from './create-user.js';
import { deleteAccount } from './delete-account.js';
import { deleteDomain } from './delete-domain.js';
import { deleteUser } from './delete-user.js';
import { listAccounts } from './list-accounts.js';
import { listDomainChildren, listDomains } from './list-domains.js';
import { listRoles } from './list-roles.js';
import { listUsers } from './list-users.js';
import { listResourceLimits, updateResourceCount, updateResourceLimit } from './resource-limits.js';
import { updateAccount } from './update-account.js';
import { updateDomain } from './update-domain.js';
import { updateUser } from './update-user.js';
import { getUser, getUserKeys, registerUserKeys } from './user-keys.js';
import { disableUser, enableUser, lockUser } from './user-states.js';

/** Every command of the API. */
export const COMMANDS: readonly Command[] = [
  createListApis(() => COMMANDS),
  getApiLimit,
  resetApiLimit,
  listCapabilities,
  listZones,
  createZone,
  updateZone,
  deleteZone,
  listPods,
  createPod,
  updatePod,
  deletePod,
  listClusters,
  addCluster,
  updateCluster,
  deleteCluster,
  listCapacity,
  listHypervisors,
  listHypervisorCapabilities,
  listHosts,
  updateHost,
  prepareHostForMaintenance,
  cancelHostMaintenance,
  declareHostAsDegraded,
  cancelHostAsDegraded,
  deleteHost,
  createHostJoinToken,
  revokeHost,
  listStoragePools,
  listStorageProviders,
  createStoragePool,
  updateStoragePool,
  deleteStoragePool,
  enableStorageMaintenance,
  cancelStorageMaintenance,
  listOsCategories,
  listOsTypes,
  listServiceOfferings,
  createServiceOffering,
  updateServiceOffering,
  deleteServiceOffering,
  listDiskOfferings,
  createDiskOffering,
  updateDiskOffering,
  deleteDiskOffering,
  listNetworkOfferings,
  listNetworks,
  createNetwork,
  updateNetwork,
  deleteNetwork,
  listSSHKeyPairs,
  createSSHKeyPair,
  registerSSHKeyPair,
  deleteSSHKeyPair,
  registerTemplate,
  listTemplates,
  updateTemplate,
  updateTemplatePermissions,
  prepareTemplate,
  refreshTemplate,
  deleteTemplate,
  registerIso,
  listIsos,
  updateIso,
  updateIsoPermissions,
  deleteIso,
  deployVirtualMachine,
  listVirtualMachines,
  listVolumes,
  startVirtualMachine,
  stopVirtualMachine,
  rebootVirtualMachine,
  restoreVirtualMachine,
  attachIso,
  detachIso,
  destroyVirtualMachine,
  recoverVirtualMachine,
  expungeVirtualMachine,
  updateVirtualMachine,
  changeServiceForVirtualMachine,
  scaleVirtualMachine,
  resetSSHKeyForVirtualMachine,
  listNics,
  getVirtualMachineConsoleLog,
  getVirtualMachineUserData,
  createConsoleEndpoint,
  uploadTemplateDirectDownloadCertificate,
  listTemplateDirectDownloadCertificates,
  provisionTemplateDirectDownloadCertificate,
  revokeTemplateDirectDownloadCertificate,
  createTags,
  deleteTags,
  listTags,
  queryAsyncJobResult,
  listAsyncJobs,
  cancelJob,
  listEvents,
  archiveEvents,
  deleteEvents,
  listConfigurations,
  updateConfiguration,
  listAccounts,
  createAccount,
  updateAccount,
  enableAccount,
  disableAccount,
  lockAccount,
  deleteAccount,
  listUsers,
  getUser,
  createUser,
  updateUser,
  enableUser,
  disableUser,
  lockUser,
  deleteUser,
  registerUserKeys,
  getUserKeys,
  listDomains,
  listDomainChildren,
  createDomain,
  updateDomain,
  deleteDomain,
  listRoles,
  listResourceLimits,
  updateResourceLimit,
  updateResourceCount,
  resetConfiguration,
  ...EMPTY_LISTS,
];

const BY_NAME = new Map(COMMANDS.map((command) => [command.name.toLowerCase(), command]));

export const findCommand = (name: string): Command | undefined => BY_NAME.get(name.toLowerCase());
