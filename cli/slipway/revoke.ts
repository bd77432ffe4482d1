import { createAdminClient, findByName } from './admin-client.js';
import type { RevokeCommand } from './commands.js';

interface Revoked {
  hostId: string;
  virtualMachines: { id: string; name: string; state: string }[];
  text: string;
}

export async function revoke({ host, isForced, credentialsFile }: RevokeCommand): Promise<Revoked> {
  const client = await createAdminClient(credentialsFile);
  const { id, name } = await findByName(client, 'host', host);
  const { virtualmachines = [] } = await client.call('revokeHost', { id, forced: isForced });
  const virtualMachines = virtualmachines as Revoked['virtualMachines'];
  const names = virtualMachines.map((vm) => vm.name).join(', ');
  return {
    hostId: id,
    virtualMachines,
    text:
      `Host ${name} is revoked: it gets no work and no secrets any more.\n` +
      (names === '' ? '' : `It may still run ${names}.\n`) +
      'What is left to do:\n' +
      '- take its credentials of Temporal away, there\n' +
      '- change what was sealed to it before: HTTP headers and passwords in URLs of templates, user data and VNC\n' +
      '  passwords of virtual machines (docs/security.md, "A lost host")\n' +
      `- when it is off for certain: declareHostAsDegraded id=${id}, then its virtual machines can be started elsewhere\n`,
  };
}
