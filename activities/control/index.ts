import { recordAccountDeleted, recordDomainDeleted } from './account/record-deleted.js';
import { removeSomeOwned } from './account/remove-some-owned.js';
import { recordAccountJobEnd, stopSomeOwned } from './account/stop-owned.js';
import { beginRestore } from './virtual-machine/begin-restore.js';
import { claimDiskMaker } from './virtual-machine/claim-disk-maker.js';
import { claimHost } from './virtual-machine/claim-host.js';
import { claimStart } from './virtual-machine/claim-start.js';
import type { ControlDependencies } from './dependencies.js';
import { recordTemplateNotRemoved, removeTemplate } from './template/delete-template.js';
import {
  isToUndo,
  oweCleanup,
  recordDeploymentFailed,
  recordRunning,
  releaseClaim,
} from './virtual-machine/deployment.js';
import { beginDestroy, recordDestroyed } from './virtual-machine/destroy.js';
import {
  beginAttachIso,
  emptyDrive,
  readDrive,
  recordIsoAttached,
  recordIsoDetached,
} from './virtual-machine/drive.js';
import { takeForStopped } from './host/declare-degraded.js';
import { keepCopy, planEviction, recordEvicted } from './template/evict.js';
import { beginPoolMaintenance, drainPool } from './pool/drain-pool.js';
import { recordPoolJobDone, recordPoolJobFailed } from './pool/end-pool-job.js';
import { endPoolMaintenance, startOnPool } from './pool/resume-pool.js';
import { recordHello, recordHostStatus } from './host/host.js';
import { beginMaintenance, drainHost, recordHostJobDone, recordHostJobFailed } from './host/host-maintenance.js';
import { cutOffHost } from './host/cut-off-host.js';
import { removeHost } from './host/remove-host.js';
import { joinStage } from './template/join-stage.js';
import { leaveStage } from './template/leave-stage.js';
import { listDueKeystores, packKeystore, planKeystores } from './keystore/plan-keystores.js';
import { makeRoomForStage } from './template/make-room.js';
import { listPrestagePools, recordPrestaged } from './template/prestage.js';
import { beginRefresh, recordNotRefreshed, recordRefreshed } from './template/refresh-template.js';
import { forgetToldBandwidth, readBandwidth } from './template/read-bandwidth.js';
import { compareInventory, leavePools, planReconciliation, recordReconciled } from './reconcile/reconcile.js';
import { beginUndoRestore, recordNewDisk, recordRestored, revertRestore } from './virtual-machine/record-restored.js';
import { recordKeystores } from './keystore/record-keystores.js';
import { planVolumeRemoval, recordVolumeRemoved } from './virtual-machine/remove-volume.js';
import { beginRepair } from './virtual-machine/repair.js';
import { sealTemplateUrl } from './template/seal-template-url.js';
import {
  abandonStage,
  beginStage,
  failStage,
  finishStage,
  isCopyInstalled,
  isTransferQueued,
  nextEpoch,
} from './template/stage.js';
import { beginReboot, beginStop, recordRebooted, recordStarted, recordStopped } from './virtual-machine/start-stop.js';
import { forgetTemplate, pickValidationHost, recordRegistered } from './template/template.js';
import { markHostAlert, markHostDown, markHostUp } from './host/mark-host.js';
import { warnOfExpiry } from './keystore/warn-of-expiry.js';
import { recordOperationFailed } from './virtual-machine/vm-operation.js';

/** The activities of the control queue: they touch PostgreSQL or plan, and take seconds at most. */
export function createControlActivities(dependencies: ControlDependencies) {
  return {
    abandonStage: abandonStage(dependencies),
    beginAttachIso: beginAttachIso(dependencies),
    beginDestroy: beginDestroy(dependencies),
    beginMaintenance: beginMaintenance(dependencies),
    beginPoolMaintenance: beginPoolMaintenance(dependencies),
    beginReboot: beginReboot(dependencies),
    beginRefresh: beginRefresh(dependencies),
    beginRepair: beginRepair(dependencies),
    beginRestore: beginRestore(dependencies),
    beginStage: beginStage(dependencies),
    beginStop: beginStop(dependencies),
    beginUndoRestore: beginUndoRestore(dependencies),
    claimDiskMaker: claimDiskMaker(dependencies),
    claimHost: claimHost(dependencies),
    claimStart: claimStart(dependencies),
    compareInventory: compareInventory(dependencies),
    emptyDrive: emptyDrive(dependencies),
    drainHost: drainHost(dependencies),
    drainPool: drainPool(dependencies),
    endPoolMaintenance: endPoolMaintenance(dependencies),
    failStage: failStage(dependencies),
    finishStage: finishStage(dependencies),
    forgetTemplate: forgetTemplate(dependencies),
    forgetToldBandwidth: forgetToldBandwidth(dependencies),
    isCopyInstalled: isCopyInstalled(dependencies),
    isToUndo: isToUndo(dependencies),
    isTransferQueued: isTransferQueued(dependencies),
    joinStage: joinStage(dependencies),
    keepCopy: keepCopy(dependencies),
    leavePools: leavePools(dependencies),
    leaveStage: leaveStage(dependencies),
    listDueKeystores: listDueKeystores(dependencies),
    listPrestagePools: listPrestagePools(dependencies),
    makeRoomForStage: makeRoomForStage(dependencies),
    markHostAlert: markHostAlert(dependencies),
    markHostDown: markHostDown(dependencies),
    markHostUp: markHostUp(dependencies),
    nextEpoch: nextEpoch(dependencies),
    oweCleanup: oweCleanup(dependencies),
    pickValidationHost: pickValidationHost(dependencies),
    planEviction: planEviction(dependencies),
    packKeystore: packKeystore(dependencies),
    planKeystores: planKeystores(dependencies),
    planReconciliation: planReconciliation(dependencies),
    planVolumeRemoval: planVolumeRemoval(dependencies),
    readDrive: readDrive(dependencies),
    recordAccountDeleted: recordAccountDeleted(dependencies),
    recordAccountJobEnd: recordAccountJobEnd(dependencies),
    recordDeploymentFailed: recordDeploymentFailed(dependencies),
    recordDestroyed: recordDestroyed(dependencies),
    recordDomainDeleted: recordDomainDeleted(dependencies),
    recordEvicted: recordEvicted(dependencies),
    recordHello: recordHello(dependencies),
    recordHostJobDone: recordHostJobDone(dependencies),
    recordHostJobFailed: recordHostJobFailed(dependencies),
    recordHostStatus: recordHostStatus(dependencies),
    recordIsoAttached: recordIsoAttached(dependencies),
    recordIsoDetached: recordIsoDetached(dependencies),
    recordKeystores: recordKeystores(dependencies),
    recordNewDisk: recordNewDisk(dependencies),
    recordNotRefreshed: recordNotRefreshed(dependencies),
    recordOperationFailed: recordOperationFailed(dependencies),
    recordPoolJobDone: recordPoolJobDone(dependencies),
    recordPoolJobFailed: recordPoolJobFailed(dependencies),
    recordPrestaged: recordPrestaged(dependencies),
    recordRebooted: recordRebooted(dependencies),
    readBandwidth: readBandwidth(dependencies),
    recordReconciled: recordReconciled(dependencies),
    recordRefreshed: recordRefreshed(dependencies),
    recordRegistered: recordRegistered(dependencies),
    recordRestored: recordRestored(dependencies),
    recordRunning: recordRunning(dependencies),
    recordStarted: recordStarted(dependencies),
    recordStopped: recordStopped(dependencies),
    recordTemplateNotRemoved: recordTemplateNotRemoved(dependencies),
    recordVolumeRemoved: recordVolumeRemoved(dependencies),
    releaseClaim: releaseClaim(dependencies),
    cutOffHost: cutOffHost(dependencies),
    removeHost: removeHost(dependencies),
    removeSomeOwned: removeSomeOwned(dependencies),
    removeTemplate: removeTemplate(dependencies),
    revertRestore: revertRestore(dependencies),
    sealTemplateUrl: sealTemplateUrl(dependencies),
    startOnPool: startOnPool(dependencies),
    stopSomeOwned: stopSomeOwned(dependencies),
    takeForStopped: takeForStopped(dependencies),
    warnOfExpiry: warnOfExpiry(dependencies),
  };
}

export type ControlActivities = ReturnType<typeof createControlActivities>;
