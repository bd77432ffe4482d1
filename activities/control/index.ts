import { claimHost } from './claim-host.js';
import type { ControlDependencies } from './dependencies.js';
import { oweCleanup, recordDeploymentFailed, recordRunning, releaseClaim } from './deployment.js';
import { beginDestroy, beginRepair, recordDestroyed } from './destroy.js';
import { markHostDown, markHostUp, recordHello, recordHostStatus } from './host.js';
import { joinStage, leaveStage } from './join-stage.js';
import { sealTemplateUrl } from './seal-template-url.js';
import { abandonStage, beginStage, failStage, finishStage, nextEpoch } from './stage.js';
import { forgetTemplate, pickValidationHost, recordRegistered } from './template.js';

/** The activities of the control queue: they touch PostgreSQL or plan, and take seconds at most. */
export function createControlActivities(dependencies: ControlDependencies) {
  return {
    abandonStage: abandonStage(dependencies),
    beginDestroy: beginDestroy(dependencies),
    beginRepair: beginRepair(dependencies),
    beginStage: beginStage(dependencies),
    claimHost: claimHost(dependencies),
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
    recordRegistered: recordRegistered(dependencies),
    recordRunning: recordRunning(dependencies),
    releaseClaim: releaseClaim(dependencies),
    sealTemplateUrl: sealTemplateUrl(dependencies),
  };
}

export type ControlActivities = ReturnType<typeof createControlActivities>;
