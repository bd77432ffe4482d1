import { createJoinToken } from '../../db/host-join-tokens.js';
import { apiDate } from '../protocol/envelope.js';
import { field } from '../protocol/fields.js';
import { invalid } from '../protocol/invalid.js';
import { integer, uuid, withDefault } from '../protocol/parameters.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';

const DEFAULT_EXPIRY_SECONDS = 3600;
/** A week: a token that is forgotten somewhere must not be good for ever. */
const MAX_EXPIRY_SECONDS = 7 * 86_400;
const MIN_EXPIRY_SECONDS = 1;

const tokenFields = {
  id: field('string', 'ID of the token, as events name it.'),
  token: field('string', 'The token. It is shown here only.'),
  expires: field('date', 'When it expires.'),
} as const;

export const createHostJoinToken = defineCommand({
  name: 'createHostJoinToken',
  description:
    'Makes a token with which `slipway host join` makes a machine a host of a cluster, or `slipway host rotate-keys` ' +
    'gives a host new keys. It works once. Slipway has this command, CloudStack has not.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: {
    clusterid: uuid('ID of the cluster that a new host joins.'),
    hostid: uuid('ID of the host that is to have new keys; one that was revoked is a host again with them.'),
    expiry: withDefault(
      integer(`Seconds that the token can be used for; ${DEFAULT_EXPIRY_SECONDS} when absent, at most a week.`, {
        min: MIN_EXPIRY_SECONDS,
        max: MAX_EXPIRY_SECONDS,
      }),
      DEFAULT_EXPIRY_SECONDS,
    ),
  },
  response: { objectName: 'hostjointoken', fields: { hostjointoken: field('object', 'The token.', tokenFields) } },
  async handle({ clusterid, hostid, expiry }, { db, caller }) {
    if ((clusterid === undefined) === (hostid === undefined)) throw invalid('Give either clusterid or hostid');
    const purpose = hostid === undefined ? { clusterId: clusterid! } : { hostId: hostid };
    const { id, token, expires } = await createJoinToken(db, caller, purpose, expiry);
    return { hostjointoken: { id, token, expires: apiDate(expires) } };
  },
});
