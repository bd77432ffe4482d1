import { readSettingsOf } from '../../db/scoped-settings.js';
import { CLOUDSTACK_VERSION } from '../protocol/envelope.js';
import { field } from '../protocol/fields.js';
import { MAX_PAGE_SIZE } from '../protocol/paging.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { MAXIMUM_DISK_GIB } from './disk-size.js';

const capabilityFields = {
  cloudstackversion: field('string', 'The version of CloudStack whose API this is.'),
  securitygroupsenabled: field('boolean', 'Always false.'),
  dynamicrolesenabled: field('boolean', 'Always false: roles are fixed.'),
  userpublictemplateenabled: field('boolean', 'The setting allow.public.user.templates.'),
  supportELB: field('string', 'Always false.'),
  projectinviterequired: field('boolean', 'Always false: there are no projects.'),
  allowusercreateprojects: field('boolean', 'Always false.'),
  customdiskofferingminsize: field('long', 'Smallest disk of a custom size, in GiB.'),
  customdiskofferingmaxsize: field('long', 'Largest disk of a custom size, in GiB.'),
  regionsecondaryenabled: field('boolean', 'Always false: there is no secondary storage.'),
  kvmsnapshotenabled: field('boolean', 'Always false.'),
  allowuserviewdestroyedvm: field('boolean', 'Whether users see their destroyed virtual machines.'),
  allowuserexpungerecovervm: field('boolean', 'The setting allow.user.expunge.recover.vm.'),
  allowuserexpungerecovervolume: field('boolean', 'Always false.'),
  allowuserviewalldomainaccounts: field('boolean', 'Always false.'),
  kubernetesserviceenabled: field('boolean', 'Always false.'),
  kubernetesclusterexperimentalfeaturesenabled: field('boolean', 'Always false.'),
  defaultuipagesize: field('long', 'Entries of a page of a list.'),
} as const;

export const listCapabilities = defineCommand({
  name: 'listCapabilities',
  description: 'Tells what this installation can do.',
  kind: 'sync',
  allowedRoles: EVERYBODY,
  params: {},
  response: {
    objectName: 'capability',
    fields: { capability: field('object', 'What it can do.', capabilityFields) },
  },
  async handle(_args, { db, caller }) {
    const settings = await readSettingsOf(db, { accountId: caller.accountId });
    return {
      capability: {
        cloudstackversion: CLOUDSTACK_VERSION,
        securitygroupsenabled: false,
        dynamicrolesenabled: false,
        userpublictemplateenabled: settings['allow.public.user.templates'] === 'true',
        supportELB: 'false',
        projectinviterequired: false,
        allowusercreateprojects: false,
        customdiskofferingminsize: 1,
        customdiskofferingmaxsize: MAXIMUM_DISK_GIB,
        regionsecondaryenabled: false,
        kvmsnapshotenabled: false,
        allowuserviewdestroyedvm: true,
        allowuserexpungerecovervm: settings['allow.user.expunge.recover.vm'] === 'true',
        allowuserexpungerecovervolume: false,
        allowuserviewalldomainaccounts: false,
        kubernetesserviceenabled: false,
        kubernetesclusterexperimentalfeaturesenabled: false,
        defaultuipagesize: MAX_PAGE_SIZE,
      },
    };
  },
});
