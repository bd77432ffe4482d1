import { provisionCertificate } from '../../db/certificates.js';
import { findCertificate } from '../../db/reads/list-certificates.js';
import { field } from '../protocol/fields.js';
import { required, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { hostStatusFields, hostStatusResponse } from '../responses/certificate.js';
import { hostOf, provision, refusal } from './certificate-parameters.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';

export const provisionTemplateDirectDownloadCertificate = defineCommand({
  name: 'provisionTemplateDirectDownloadCertificate',
  description:
    'Has one host trust a certificate of its zone, also after it was revoked there. Answers as ' +
    'uploadTemplateDirectDownloadCertificate does.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  since: '4.17.0',
  params: {
    id: required(uuid('ID of the certificate.')),
    hostid: required(uuid('ID of the host.')),
  },
  response: {
    objectName: 'directdownloadcertificatehoststatus',
    fields: { directdownloadcertificatehoststatus: field('object', 'What the host has.', hostStatusFields) },
  },
  async handle({ id, hostid }, context) {
    const found = await findCertificate(context.db, { id });
    if (!found) throw noSuchEntity(context.command, 'id', id);
    const { certificate } = found;
    const host = await hostOf(context, certificate.zoneId, hostid);
    await provisionCertificate(context.db, context.caller, certificate, host);
    const [status] = await provision(context, certificate, hostid);
    if (!status) throw refusal(`Certificate ${certificate.alias} was revoked, and another one took its place`);
    return { directdownloadcertificatehoststatus: hostStatusResponse(status) };
  },
});
