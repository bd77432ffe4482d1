import type { Caller } from '../../db/reads/find-caller.js';
import type { ListedTemplate, TemplateCopy, TemplateDetail } from '../../db/reads/list-templates.js';
import { apiDate } from '../protocol/envelope.js';
import { field, type ResponseOf } from '../protocol/fields.js';

const copyFields = {
  datastore: field('string', 'Name of the primary storage pool.'),
  datastoreId: field('string', 'ID of the primary storage pool.'),
  datastoreRole: field('string', 'Always Primary.'),
  downloadPercent: field('string', 'Part that has arrived.'),
  downloadState: field('string', 'NOT_DOWNLOADED, DOWNLOAD_IN_PROGRESS or DOWNLOADED.'),
  downloadedbytes: field('string', 'Bytes that have arrived. Slipway has this key, CloudStack has not.'),
  bytespersecond: field('string', 'Speed now. Slipway has this key, CloudStack has not.'),
  source: field('string', 'URL it comes from, without user info and query. Slipway has this key, CloudStack has not.'),
} as const;

export const templateFields = {
  id: field('string', 'ID of the template.'),
  name: field('string', 'Name.'),
  displaytext: field('string', 'Text for people.'),
  ispublic: field('boolean', 'Whether every account may use it.'),
  created: field('date', 'When it was registered.'),
  removed: field('date', 'When it was removed.'),
  isready: field('boolean', 'Whether it can be deployed.'),
  passwordenabled: field('boolean', 'Always false.'),
  format: field('string', 'QCOW2 or RAW.'),
  isfeatured: field('boolean', 'Whether it is featured.'),
  ostypeid: field('string', 'ID of the OS type.'),
  ostypename: field('string', 'Name of the OS type.'),
  accountid: field('string', 'ID of the account that owns it.'),
  account: field('string', 'Name of the account that owns it.'),
  domainid: field('string', 'ID of the domain of the account.'),
  domain: field('string', 'Name of the domain of the account.'),
  domainpath: field('string', 'Path of the domain of the account.'),
  zoneid: field('string', 'ID of the zone.'),
  zonename: field('string', 'Name of the zone.'),
  status: field('string', 'Bypassed Secondary Storage; for root admins and the owner.'),
  size: field('long', 'Bytes of the disk as a guest sees it, when a source told.'),
  templatetype: field('string', 'USER, SYSTEM or ROUTING.'),
  hypervisor: field('string', 'Always KVM.'),
  isextractable: field('boolean', 'Whether it was registered as extractable.'),
  checksum: field('string', 'Registered checksum, hexadecimal.'),
  details: field('map', 'Details it was registered with.'),
  downloaddetails: field('list', 'Each pool that has it or gets it; for root admins and the owner.', copyFields),
  arch: field('string', 'CPU architecture.'),
  bits: field('integer', '32 or 64.'),
  sshkeyenabled: field('boolean', 'Always false.'),
  isdynamicallyscalable: field('boolean', 'Always false.'),
  directdownload: field('boolean', 'Whether it goes straight to primary storage.'),
  deployasis: field('boolean', 'Always false.'),
  requireshvm: field('boolean', 'Whether it needs hardware virtualisation.'),
  url: field('string', 'URL without user info and query; for root admins and the owner.'),
  tags: field('list', 'Resource tags; always empty.'),
} as const;

export interface TemplateParts {
  copies: TemplateCopy[];
  details: TemplateDetail[];
}

/** @param parts of any templates; those of this one are picked */
export function templateResponse(
  row: ListedTemplate,
  parts: TemplateParts,
  caller: Caller,
): ResponseOf<typeof templateFields> {
  const { template } = row;
  return {
    id: template.id,
    name: template.name,
    displaytext: template.displayText,
    ispublic: template.isPublic,
    created: apiDate(template.created),
    removed: apiDate(template.removed),
    isready: row.isReady,
    passwordenabled: false,
    format: template.format,
    isfeatured: template.isFeatured,
    ostypeid: template.guestOsId,
    ostypename: row.guestOsName,
    accountid: template.accountId,
    account: row.accountName,
    domainid: row.domainId,
    domain: row.domainName,
    domainpath: row.domainPath,
    zoneid: row.zoneId,
    zonename: row.zoneName,
    size: template.sizeBytes,
    templatetype: template.type,
    hypervisor: template.hypervisorType,
    isextractable: template.isExtractable,
    checksum: template.checksum?.replace(/^\{[^}]*\}/, ''),
    details: detailsOf(template.id, parts.details),
    arch: template.arch,
    bits: template.bits,
    sshkeyenabled: false,
    isdynamicallyscalable: false,
    directdownload: template.directDownload,
    deployasis: false,
    requireshvm: template.requiresHvm,
    tags: [],
    ...(caller.role === 'Admin' || caller.accountId === template.accountId
      ? {
          status: 'Bypassed Secondary Storage',
          url: template.url,
          downloaddetails: parts.copies
            .filter((copy) => copy.templateId === template.id && copy.zoneId === row.zoneId)
            .map(copyResponse),
        }
      : {}),
  };
}

/** All strings: CloudStack declares a list of string maps. */
const copyResponse = (copy: TemplateCopy): ResponseOf<typeof copyFields> => ({
  datastore: copy.poolName,
  datastoreId: copy.poolId,
  datastoreRole: 'Primary',
  downloadPercent: String(copy.percent),
  downloadState: copy.downloadState,
  downloadedbytes: String(copy.bytes),
  bytespersecond: String(copy.bytesPerSecond),
  source: copy.source,
});

function detailsOf(templateId: string, details: TemplateDetail[]): Record<string, string> | undefined {
  const own = details.filter((detail) => detail.templateId === templateId);
  return own.length === 0 ? undefined : Object.fromEntries(own.map(({ name, value }) => [name, value]));
}
