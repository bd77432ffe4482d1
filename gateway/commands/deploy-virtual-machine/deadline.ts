import type { GlobalSettingValues } from '../../../shared/settings.js';

/** For a whole deployment, however many hosts it tries. */
export const deploymentDeadlineMs = (settings: GlobalSettingValues): number =>
  Number(settings['deployment.deadline']) * 1000;
