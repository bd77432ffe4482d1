import { oneOf } from '../protocol/parameters.js';

export const hypervisor = () => oneOf(['KVM'], 'Hypervisor.');
export const clusterType = () => oneOf(['CloudManaged'], 'Type of the cluster.');
