import { field } from '../protocol/fields.js';
import { uuid } from '../protocol/parameters.js';
import { ADMIN_ONLY, defineCommand, EVERYBODY } from './define-command.js';

const UNLIMITED = -1;

export const getApiLimit = defineCommand({
  name: 'getApiLimit',
  description:
    'Tells how many calls the account of the caller has made in the present interval; what other gateways hold ready for it counts as made. See the settings api.throttling.enabled, api.throttling.interval and api.throttling.max.',
  kind: 'sync',
  allowedRoles: EVERYBODY,
  params: {},
  response: {
    objectName: 'apilimit',
    fields: {
      apilimit: field('object', 'The calls.', {
        accountid: field('string', 'ID of the account.'),
        apiIssued: field('integer', 'Calls it has made in the present interval.'),
        apiAllowed: field('integer', `Calls that it may make in an interval; ${UNLIMITED} for any number.`),
        expireAfter: field('long', 'Milliseconds until the next interval.'),
      }),
    },
  },
  async handle(_args, { accounts, caller }) {
    const { issued, allowed = UNLIMITED, expiresMs } = await accounts.usage(caller);
    const apilimit = { accountid: caller.accountId, apiIssued: issued, apiAllowed: allowed, expireAfter: expiresMs };
    return { apilimit };
  },
});

export const resetApiLimit = defineCommand({
  name: 'resetApiLimit',
  description: 'Lets an account, or all, begin the present interval anew.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: { account: uuid('ID of the account; all when missing.') },
  response: { objectName: 'success', fields: { success: field('boolean', 'Always true.') } },
  async handle({ account }, { accounts }) {
    await accounts.reset(account);
    return { success: true };
  },
});
