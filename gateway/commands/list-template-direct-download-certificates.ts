import { listCertificateHosts, listCertificates } from '../../db/reads/list-certificates.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { boolean, uuid, withDefault } from '../protocol/parameters.js';
import { certificateFields, certificateResponse, hostStatusResponse } from '../responses/certificate.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';

export const listTemplateDirectDownloadCertificates = defineCommand({
  name: 'listTemplateDirectDownloadCertificates',
  description: 'Lists certificates that hosts trust for downloads over HTTPS, and those that were revoked.',
  kind: 'list',
  allowedRoles: ADMIN_ONLY,
  since: '4.17.0',
  params: {
    ...listParameters,
    id: uuid('ID of the certificate.'),
    zoneid: uuid('ID of the zone.'),
    listhosts: withDefault(boolean('Whether to list what is known of each host.'), false),
  },
  response: { objectName: 'directdownloadcertificate', fields: certificateFields },
  async handle(args, { db }) {
    const filter = { id: args.id, zoneId: args.zoneid, keyword: args.keyword };
    const { count, rows } = await listCertificates(db, filter, pageOf(args));
    const ids = rows.map(({ certificate }) => certificate.id);
    const hosts = args.listhosts ? await listCertificateHosts(db, ids) : undefined;
    const now = new Date();
    const items = rows.map((row) => ({
      ...certificateResponse(row, now),
      hostsmap: hosts?.filter(({ map }) => map.certificateId === row.certificate.id).map(hostStatusResponse),
    }));
    return { count, items };
  },
});
