import { claimHost } from './claim-host.js';
import { claimStart } from './claim-start.js';
import type { ControlDependencies } from './dependencies.js';
import { oweCleanup, recordDeploymentFailed, recordRunning, releaseClaim } from './deployment.js';
import { beginDestroy, recordDestroyed } from './destroy.js';
import { markHostDown, markHostUp, recordHello, recordHostStatus } from './host.js';
import { joinStage, leaveStage } from './join-stage.js';
import { beginRepair } from './repair.js';
import { sealTemplateUrl } from './seal-template-url.js';
import { abandonStage, beginStage, failStage, finishStage, nextEpoch } from './stage.js';
import { beginReboot, beginStop, recordRebooted, recordStarted, recordStopped } from './start-stop.js';
import { forgetTemplate, pickValidationHost, recordRegistered } from './template.js';
import { recordOperationFailed } from './vm-operation.js';

/** The activities of the control queue: they touch PostgreSQL or plan, and take seconds at most. */
export function createControlActivities(dependencies: ControlDependencies) {
  return {
    abandonStage: abandonStage(dependencies),
    beginDestroy: beginDestroy(dependencies),
    beginReboot: beginReboot(dependencies),
    beginRepair: beginRepair(dependencies),
    beginStage: beginStage(dependencies),
    beginStop: beginStop(dependencies),
    claimHost: claimHost(dependencies),
    claimStart: claimStart(dependencies),
    failStage: failStage(dependencies),
    finishStage: finishStage(dependencies),
    forgetTemplate: forgetTemplate(dependencies),
    joinStage: joinStage(dependencies),
    leaveStage: leaveStage(dependencies),
    markHostDown: markHostDown(dependencies),
    markHostUp: markHostUp(dependencies),
    nextEpoch: nextEpoch(dependencies),
    oweCleanup: oweCleanup(dependencies),
    pickValidationHost: pickValidationHost(dependencies),
    recordDeploymentFailed: recordDeploymentFailed(dependencies),
    recordDestroyed: recordDestroyed(dependencies),
    recordHello: recordHello(dependencies),
    recordHostStatus: recordHostStatus(dependencies),
    recordOperationFailed: recordOperationFailed(dependencies),
    recordRebooted: recordRebooted(dependencies),
    recordRegistered: recordRegistered(dependencies),
    recordRunning: recordRunning(dependencies),
    recordStarted: recordStarted(dependencies),
    recordStopped: recordStopped(dependencies),
    releaseClaim: releaseClaim(dependencies),
    sealTemplateUrl: sealTemplateUrl(dependencies),
  };
}

export type ControlActivities = ReturnType<typeof createControlActivities>;
