export { deployVirtualMachine } from './deploy-virtual-machine.js';
export { destroyVirtualMachine } from './destroy-virtual-machine.js';
export { hostLifecycle } from './host-lifecycle.js';
export { registerTemplate } from './register-template.js';
export { repairVirtualMachine } from './repair-virtual-machine.js';
export { stageTemplate } from './stage-template.js';
export { validateUrl } from './validate-url.js';
