import { addCertificate, provisionCertificate } from '../../db/certificates.js';
import { findCertificate } from '../../db/reads/list-certificates.js';
import { readCertificate } from '../certificates/read-certificate.js';
import { requireAlias } from '../certificates/require-alias.js';
import { field } from '../protocol/fields.js';
import { type ArgumentsOf, required, string, uuid } from '../protocol/parameters.js';
import { certificateFields, certificateResponse, hostStatusResponse } from '../responses/certificate.js';
import { hostOf, provision, refusal, requireKvm, requireZone } from './certificate-parameters.js';
import { ADMIN_ONLY, type CommandContext, defineCommand } from './define-command.js';

const params = {
  certificate: required(
    string(
      'PEM of a certificate or a chain, or the base64 of one certificate. With hostid it is not read: the certificate that has the name is provisioned.',
      { maxLength: 65_535 },
    ),
  ),
  name: required(string('Name: a DNS label, other than cloud and what begins with cloudca.')),
  hypervisor: required(string('KVM.')),
  zoneid: required(uuid('ID of the zone.')),
  hostid: uuid('ID of one host, to give it a certificate of the zone again, as after it was revoked there.'),
};

export const uploadTemplateDirectDownloadCertificate = defineCommand({
  name: 'uploadTemplateDirectDownloadCertificate',
  description:
    'Has the hosts of a zone trust a certificate for downloads over HTTPS. Answers when all of them have said what came ' +
    'of it, after 10 seconds at most; the rest is done afterwards, also for hosts that are Down or join later.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  since: '4.11.0',
  params,
  response: {
    objectName: 'uploadtemplatedirectdownloadcertificate',
    fields: { uploadtemplatedirectdownloadcertificate: field('object', 'The certificate.', certificateFields) },
  },
  async handle(args, context) {
    requireKvm(args.hypervisor);
    await requireZone(context, args.zoneid);
    const id = args.hostid === undefined ? await add(args, context) : await addToHost(args, args.hostid, context);
    const hosts = await provision(context, { id, zoneId: args.zoneid }, args.hostid);
    const listed = await findCertificate(context.db, { id });
    if (!listed) throw refusal('Unable to upload certificate: it was revoked, and another one took its place');
    return {
      uploadtemplatedirectdownloadcertificate: {
        ...certificateResponse(listed, new Date()),
        hostsmap: hosts.map(hostStatusResponse),
      },
    };
  },
});

async function add(
  { certificate, name, zoneid }: ArgumentsOf<typeof params>,
  { db, caller }: CommandContext,
): Promise<string> {
  requireAlias(name);
  const facts = readCertificate(certificate, new Date());
  const { id } = await addCertificate(db, caller, { zoneId: zoneid, alias: name, facts });
  return id;
}

async function addToHost(
  { name, zoneid }: ArgumentsOf<typeof params>,
  hostId: string,
  context: CommandContext,
): Promise<string> {
  const host = await hostOf(context, zoneid, hostId);
  const found = await findCertificate(context.db, { zoneId: zoneid, alias: name });
  if (!found) throw refusal('Unable to upload certificate');
  await provisionCertificate(context.db, context.caller, found.certificate, host);
  return found.certificate.id;
}
