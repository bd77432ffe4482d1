import type { HostDependencies } from './dependencies.js';
import { applyCertificates } from './apply-certificates.js';
import { downloadTier } from './download-tier.js';
import { setBandwidth } from './set-bandwidth.js';
import { settleInventory, takeInventory } from './reconcile.js';
import { removeVolumeFiles } from './remove-volume.js';
import { readConsole, vncDisplay } from './guest-console.js';
import { probeUrl, readSources } from './sources.js';
import { discardTemplateCopy, installTemplate, removeTemplateCopy, sweepPartials } from './template-copy.js';
import { verifyChecksum } from './verify-checksum.js';
import {
  changeIso,
  createRootVolume,
  isDomainAlive,
  rebootDomain,
  removeDeployment,
  startDomain,
  stopDomain,
} from './virtual-machine.js';
import { dismissHost, hello, watchHost } from './watch-host.js';

/** What a KVM host does. It has no database: everything it needs arrives as input, everything it knows leaves as result. */
export function createHostActivities(dependencies: HostDependencies) {
  return {
    applyCertificates: applyCertificates(dependencies),
    changeIso: changeIso(dependencies),
    createRootVolume: createRootVolume(dependencies),
    discardTemplateCopy: discardTemplateCopy(dependencies),
    dismissHost: dismissHost(),
    hello: hello(dependencies),
    installTemplate: installTemplate(dependencies),
    isDomainAlive: isDomainAlive(dependencies),
    probeUrl: probeUrl(dependencies),
    readConsole: readConsole(dependencies),
    readSources: readSources(dependencies),
    rebootDomain: rebootDomain(dependencies),
    removeDeployment: removeDeployment(dependencies),
    removeTemplateCopy: removeTemplateCopy(dependencies),
    removeVolumeFiles: removeVolumeFiles(dependencies),
    setBandwidth: setBandwidth(dependencies),
    settleInventory: settleInventory(dependencies),
    startDomain: startDomain(dependencies),
    stopDomain: stopDomain(dependencies),
    sweepPartials: sweepPartials(dependencies),
    takeInventory: takeInventory(dependencies),
    verifyChecksum: verifyChecksum(dependencies),
    vncDisplay: vncDisplay(dependencies),
    watchHost: watchHost(dependencies),
  };
}

/** Long transfers, in a queue of their own. */
export function createTransferActivities(dependencies: HostDependencies) {
  return { downloadTier: downloadTier(dependencies) };
}

export type HostActivities = ReturnType<typeof createHostActivities>;
export type TransferActivities = ReturnType<typeof createTransferActivities>;
