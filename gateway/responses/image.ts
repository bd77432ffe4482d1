import { type Caller, mayWorkOn } from '../../db/reads/find-caller.js';
import type { ListedTemplate, TemplateCopy } from '../../db/reads/list-templates.js';
import { apiDate } from '../protocol/envelope.js';
import { shownDomainPath } from '../protocol/domain-path.js';
import { field, type ResponseOf } from '../protocol/fields.js';
import { isDiskFormat } from '../../shared/images.js';
import { tagFields, tagResponses } from './tag.js';

const copyFields = {
  datastore: field('string', 'Name of the primary storage pool.'),
  datastoreId: field('string', 'ID of the primary storage pool.'),
  datastoreRole: field('string', 'Always Primary.'),
  downloadPercent: field('string', 'Part that has arrived.'),
  downloadState: field('string', 'NOT_DOWNLOADED, DOWNLOAD_IN_PROGRESS or DOWNLOADED.'),
  downloadedbytes: field('string', 'Bytes that have arrived. Slipway has this key, CloudStack has not.'),
  bytespersecond: field('string', 'Speed now. Slipway has this key, CloudStack has not.'),
  isqueued: field(
    'boolean',
    'Whether it waits for a transfer slot of its host. Slipway has this key, CloudStack has not.',
  ),
  generation: field(
    'string',
    'Grows when the template is refreshed; two of them may be on a pool for a while. Slipway has this key, CloudStack has not.',
  ),
  source: field('string', 'URL it comes from, without user info and query. Slipway has this key, CloudStack has not.'),
} as const;

/** What CloudStack tells of templates and of ISOs. */
export const imageFields = {
  id: field('string', 'ID.'),
  name: field('string', 'Name.'),
  displaytext: field('string', 'Text for people.'),
  ispublic: field('boolean', 'Whether every account may use it.'),
  created: field('date', 'When it was registered.'),
  removed: field('date', 'When it was removed.'),
  isready: field('boolean', 'Whether it can be used.'),
  passwordenabled: field('boolean', 'Always false.'),
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
  isextractable: field('boolean', 'Whether it was registered as extractable.'),
  checksum: field('string', 'Registered checksum, hexadecimal.'),
  downloaddetails: field('list', 'Each pool that has it or gets it; for root admins and the owner.', copyFields),
  arch: field('string', 'CPU architecture.'),
  bits: field('integer', '32 or 64.'),
  isdynamicallyscalable: field('boolean', 'Always false.'),
  directdownload: field('boolean', 'Whether it goes straight to primary storage.'),
  url: field('string', 'URL without user info and query; for root admins and the owner.'),
  sortkey: field('integer', 'Where it comes in lists. Slipway has this key, CloudStack has not.'),
  tags: field('list', 'Resource tags.', tagFields),
} as const;

/** @param copies of this one in the zone of the row */
export function imageResponse(
  row: ListedTemplate,
  copies: TemplateCopy[],
  caller: Caller,
): ResponseOf<typeof imageFields> {
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
    isfeatured: template.isFeatured,
    ostypeid: template.guestOsId,
    ostypename: row.guestOsName,
    accountid: template.accountId,
    account: row.accountName,
    domainid: row.domainId,
    domain: row.domainName,
    domainpath: shownDomainPath(row.domainPath),
    zoneid: row.zoneId,
    zonename: row.zoneName,
    isextractable: template.isExtractable,
    checksum: template.checksum?.replace(/^\{[^}]*\}/, ''),
    arch: template.arch,
    bits: template.bits,
    isdynamicallyscalable: false,
    sortkey: template.sortKey,
    directdownload: template.directDownload,
    tags: tagResponses(row.tags, { type: isDiskFormat(template.format) ? 'Template' : 'ISO', id: template.id }, row),
    ...(mayWorkOn(caller, { ...row, accountId: template.accountId })
      ? {
          status: 'Bypassed Secondary Storage',
          url: template.url,
          downloaddetails: copies.map(copyResponse),
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
  isqueued: copy.isQueued,
  bytespersecond: String(copy.bytesPerSecond),
  generation: String(copy.generation),
  source: copy.source,
});
