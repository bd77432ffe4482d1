/**
 * The roles that there are: CloudStack's built-in ones but for the Resource Admin, which is deprecated there. The ids are
 * Slipway's and the same in every installation. `accounttype` is CloudStack's number.
 */
export const ROLES = [
  {
    id: 'f0c1f5a2-4b52-4d0e-9d43-0a1c6d1e0001',
    name: 'Root Admin',
    type: 'Admin',
    accounttype: 1,
    description: 'Administers the installation.',
  },
  {
    id: 'f0c1f5a2-4b52-4d0e-9d43-0a1c6d1e0003',
    name: 'Domain Admin',
    type: 'DomainAdmin',
    accounttype: 2,
    description: 'Administers accounts, users and domains below a domain, and what they own.',
  },
  {
    id: 'f0c1f5a2-4b52-4d0e-9d43-0a1c6d1e0004',
    name: 'User',
    type: 'User',
    accounttype: 0,
    description: 'Works on what the own account owns.',
  },
] as const;

export type Role = (typeof ROLES)[number];

export const roleOfType = (type: Role['type']): Role => ROLES.find((role) => role.type === type)!;
