import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { SEARCH_ATTRIBUTE_KEYS } from '../shared/search-attributes.js';

/** IndexedValueType of Temporal's API. */
const KEYWORD = 2;
/** The server caches its search attributes; a workflow that carries a new one is refused until it has read them. */
const VISIBLE_WITHIN_MS = 30_000;

/** Registers Slipway's search attributes and waits until the server accepts them. Safe to call at every start. */
export async function ensureSearchAttributes(client: Client): Promise<void> {
  const { operatorService } = client.connection;
  const namespace = client.options.namespace;
  const missing = async () => {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    return SEARCH_ATTRIBUTE_KEYS.filter(({ name }) => customAttributes?.[name] === undefined);
  };

  const toAdd = await missing();
  if (toAdd.length === 0) return;
  await operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(toAdd.map(({ name }) => [name, KEYWORD])),
  });
  const deadlineMs = Date.now() + VISIBLE_WITHIN_MS;
  while ((await missing()).length > 0) {
    if (Date.now() > deadlineMs) throw new Error('The Temporal server did not take the search attributes of Slipway');
    await sleep(200);
  }
}
