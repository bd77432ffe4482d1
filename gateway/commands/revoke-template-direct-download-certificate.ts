import { revokeCertificate } from '../../db/certificates.js';
import { findCertificate } from '../../db/reads/list-certificates.js';
import { isSlipwayError, SlipwayError } from '../../shared/errors.js';
import { type ArgumentsOf, required, string, uuid } from '../protocol/parameters.js';
import { hostStatusFields, hostStatusResponse } from '../responses/certificate.js';
import { hostOf, provision, refusal, requireKvm, requireZone } from './certificate-parameters.js';
import { ADMIN_ONLY, type CommandContext, defineCommand } from './define-command.js';

const params = {
  id: uuid('ID of the certificate. Either this, or name and hypervisor.'),
  name: string('Name of the certificate.'),
  hypervisor: string('KVM.'),
  zoneid: required(uuid('ID of the zone.')),
  hostid: uuid('ID of one host; all of the zone when absent.'),
};

export const revokeTemplateDirectDownloadCertificate = defineCommand({
  name: 'revokeTemplateDirectDownloadCertificate',
  description:
    'Has the hosts of a zone, or one of them, no longer trust a certificate: their next connection is made without it. ' +
    'Answers as uploadTemplateDirectDownloadCertificate does. A name that was revoked for all hosts can be used anew.',
  kind: 'list',
  allowedRoles: ADMIN_ONLY,
  since: '4.13',
  params,
  response: { objectName: 'directdownloadcertificatehoststatus', fields: hostStatusFields },
  async handle(args, context) {
    requireChoice(args);
    await requireZone(context, args.zoneid);
    const hosts = await revoke(args, context);
    return { count: hosts.length, items: hosts.map(hostStatusResponse) };
  },
});

function requireChoice({ id, name, hypervisor }: ArgumentsOf<typeof params>): void {
  if (hypervisor !== undefined) requireKvm(hypervisor);
  if (id !== undefined || (name !== undefined && hypervisor !== undefined)) return;
  throw new SlipwayError(
    'SLIPWAY_PARAMETER_INVALID',
    'Please specify the hypervisor and the certificate name to revoke or the certificate ID',
  );
}

async function revoke({ id, name, zoneid, hostid }: ArgumentsOf<typeof params>, context: CommandContext) {
  const { db, caller } = context;
  try {
    const found = await findCertificate(db, id === undefined ? { alias: name, zoneId: zoneid } : { id });
    if (!found) throw refusal(`Certificate ${id ?? `alias ${name}`} does not exist`);
    const { certificate } = found;
    if (certificate.zoneId !== zoneid) throw refusal(`Certificate ${certificate.alias} is of another zone`);
    const only = hostid === undefined ? undefined : await hostOf(context, zoneid, hostid);
    await revokeCertificate(db, caller, certificate, only);
    return await provision(context, certificate, hostid);
  } catch (error) {
    if (isSlipwayError(error) && error.code === 'SLIPWAY_CERTIFICATE_REFUSED') {
      throw refusal(`Failed revoking certificate: ${error.message}`);
    }
    throw error;
  }
}
