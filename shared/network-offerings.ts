/**
 * What networks can be made of. The set is fixed, so that it is a table of the program and none of the database; the
 * names are CloudStack's where it has the offering.
 */
export interface NetworkOffering {
  /** The same in every installation: Terraform and scripts may name it. */
  id: string;
  name: string;
  displayText: string;
  guestType: 'L2' | 'User';
  /** Whoever makes the network says which VLAN it is. */
  specifyVlan: boolean;
}

const USER: NetworkOffering = {
  id: '5d6c1f60-0f55-4b5c-9d0e-6f0a7a5b0001',
  name: 'DefaultUserNetworkOffering',
  displayText: "QEMU's own network behind the address of the host; nothing reaches the guest from outside",
  guestType: 'User',
  specifyVlan: false,
};

const L2: NetworkOffering = {
  id: '5d6c1f60-0f55-4b5c-9d0e-6f0a7a5b0002',
  name: 'DefaultL2NetworkOffering',
  displayText: 'The untagged network of the bridge that hosts have for guests',
  guestType: 'L2',
  specifyVlan: false,
};

const L2_VLAN: NetworkOffering = {
  id: '5d6c1f60-0f55-4b5c-9d0e-6f0a7a5b0003',
  name: 'DefaultL2NetworkOfferingVlan',
  displayText: 'A VLAN on the bridge that hosts have for guests',
  guestType: 'L2',
  specifyVlan: true,
};

export const NETWORK_OFFERINGS = [L2, L2_VLAN, USER] as const;

/** The offering that a network was made of. */
export function offeringOf({ guestType, vlan }: { guestType: 'L2' | 'User'; vlan: number | null }): NetworkOffering {
  if (guestType === 'User') return USER;
  return vlan === null ? L2 : L2_VLAN;
}
