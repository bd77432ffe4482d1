import type { ListedResourceTag, ListedTag } from '../../db/reads/list-tags.js';
import { TAGGED_TYPES, type TaggedType } from '../../db/resource-tags.js';
import { shownDomainPath } from '../protocol/domain-path.js';
import { field, type ResponseOf } from '../protocol/fields.js';

export const tagFields = {
  key: field('string', 'Key.'),
  value: field('string', 'Value.'),
  resourcetype: field('string', `Type of what it is on: ${TAGGED_TYPES.join(', ')}.`),
  resourceid: field('string', 'ID of what it is on.'),
  account: field('string', 'Account that owns it.'),
  domainid: field('string', 'ID of the domain of the account.'),
  domain: field('string', 'Name of the domain of the account.'),
  domainpath: field('string', 'Path of the domain of the account.'),
  customer: field('string', 'What the client that made it calls itself.'),
} as const;

/** All of it null for what is for everybody. */
interface Owner {
  accountName: string | null;
  domainId: string | null;
  domainName: string | null;
  domainPath: string | null;
}

/** Tags in the response of what they are on; its owner is theirs. */
export const tagResponses = (
  tags: readonly ListedTag[],
  on: { type: TaggedType; id: string },
  owner: Owner,
): ResponseOf<typeof tagFields>[] =>
  tags.map(({ key, value, customer }) => ({
    key,
    value,
    resourcetype: on.type,
    resourceid: on.id,
    account: owner.accountName,
    domainid: owner.domainId,
    domain: owner.domainName,
    domainpath: owner.domainPath === null ? undefined : shownDomainPath(owner.domainPath),
    customer: customer ?? undefined,
  }));

export function tagResponse({ tag, isIso, ...owner }: ListedResourceTag): ResponseOf<typeof tagFields> {
  const { instanceId, templateId, volumeId, networkId, taggedAccountId, userId } = tag;
  const on = [
    { type: 'UserVm' as const, id: instanceId },
    { type: isIso ? ('ISO' as const) : ('Template' as const), id: templateId },
    { type: 'Volume' as const, id: volumeId },
    { type: 'Network' as const, id: networkId },
    { type: 'Account' as const, id: taggedAccountId },
    { type: 'User' as const, id: userId },
  ].find((one): one is { type: TaggedType; id: string } => one.id !== null)!;
  return tagResponses([tag], on, owner)[0]!;
}
