import { defineSearchAttributeKey } from '@temporalio/common';

/** What operators filter workflows by in the Temporal Web UI. Values are UUIDs, never names: they are not encrypted. */
export const zoneKey = defineSearchAttributeKey('SlipwayZone', 'KEYWORD');
export const hostKey = defineSearchAttributeKey('SlipwayHost', 'KEYWORD');
export const templateKey = defineSearchAttributeKey('SlipwayTemplate', 'KEYWORD');
export const vmKey = defineSearchAttributeKey('SlipwayVm', 'KEYWORD');
export const accountKey = defineSearchAttributeKey('SlipwayAccount', 'KEYWORD');

export const SEARCH_ATTRIBUTE_KEYS = [zoneKey, hostKey, templateKey, vmKey, accountKey] as const;
