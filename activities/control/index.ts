import { claimHost } from './claim-host.js';
import { claimStart } from './claim-start.js';
import type { ControlDependencies } from './dependencies.js';
import { recordTemplateNotRemoved, removeTemplate } from './delete-template.js';
import { oweCleanup, recordDeploymentFailed, recordRunning, releaseClaim } from './deployment.js';
import { beginDestroy, recordDestroyed } from './destroy.js';
import { keepCopy, planEviction, recordEvicted } from './evict.js';
import { recordHello, recordHostStatus } from './host.js';
import { joinStage } from './join-stage.js';
import { leaveStage } from './leave-stage.js';
import { makeRoomForStage } from './make-room.js';
import { listPrestagePools, recordPrestaged } from './prestage.js';
import { beginRefresh, recordNotRefreshed, recordRefreshed } from './refresh-template.js';
import { compareInventory, planReconciliation, recordReconciled } from './reconcile/reconcile.js';
import { beginRepair } from './repair.js';
import { sealTemplateUrl } from './seal-template-url.js';
import { abandonStage, beginStage, failStage, finishStage, isTransferQueued, nextEpoch } from './stage.js';
import { beginReboot, beginStop, recordRebooted, recordStarted, recordStopped } from './start-stop.js';
import { forgetTemplate, pickValidationHost, recordRegistered } from './template.js';
import { markHostAlert, markHostDown, markHostUp } from './mark-host.js';
import { recordOperationFailed } from './vm-operation.js';

/** The activities of the control queue: they touch PostgreSQL or plan, and take seconds at most. */
export function createControlActivities(dependencies: ControlDependencies) {
  return {
    abandonStage: abandonStage(dependencies),
    beginDestroy: beginDestroy(dependencies),
    beginReboot: beginReboot(dependencies),
    beginRefresh: beginRefresh(dependencies),
    beginRepair: beginRepair(dependencies),
    beginStage: beginStage(dependencies),
    beginStop: beginStop(dependencies),
    claimHost: claimHost(dependencies),
    claimStart: claimStart(dependencies),
    compareInventory: compareInventory(dependencies),
    failStage: failStage(dependencies),
    finishStage: finishStage(dependencies),
    forgetTemplate: forgetTemplate(dependencies),
    isTransferQueued: isTransferQueued(dependencies),
    joinStage: joinStage(dependencies),
    keepCopy: keepCopy(dependencies),
    leaveStage: leaveStage(dependencies),
    listPrestagePools: listPrestagePools(dependencies),
    makeRoomForStage: makeRoomForStage(dependencies),
    markHostAlert: markHostAlert(dependencies),
    markHostDown: markHostDown(dependencies),
    markHostUp: markHostUp(dependencies),
    nextEpoch: nextEpoch(dependencies),
    oweCleanup: oweCleanup(dependencies),
    pickValidationHost: pickValidationHost(dependencies),
    planReconciliation: planReconciliation(dependencies),
    planEviction: planEviction(dependencies),
    recordDeploymentFailed: recordDeploymentFailed(dependencies),
    recordDestroyed: recordDestroyed(dependencies),
    recordEvicted: recordEvicted(dependencies),
    recordHello: recordHello(dependencies),
    recordHostStatus: recordHostStatus(dependencies),
    recordNotRefreshed: recordNotRefreshed(dependencies),
    recordOperationFailed: recordOperationFailed(dependencies),
    recordPrestaged: recordPrestaged(dependencies),
    recordRebooted: recordRebooted(dependencies),
    recordRefreshed: recordRefreshed(dependencies),
    recordReconciled: recordReconciled(dependencies),
    recordRegistered: recordRegistered(dependencies),
    recordRunning: recordRunning(dependencies),
    recordStarted: recordStarted(dependencies),
    recordStopped: recordStopped(dependencies),
    recordTemplateNotRemoved: recordTemplateNotRemoved(dependencies),
    releaseClaim: releaseClaim(dependencies),
    removeTemplate: removeTemplate(dependencies),
    sealTemplateUrl: sealTemplateUrl(dependencies),
  };
}

export type ControlActivities = ReturnType<typeof createControlActivities>;
