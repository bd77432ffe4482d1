import { SlipwayError } from '../../shared/errors.js';
import type { CommandContext } from './define-command.js';
import { requireDomain } from './list-scope.js';

/**
 * A domain that the caller may change: for a domain admin one below their own.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID, SLIPWAY_PERMISSION_DENIED
 */
export async function ownDomain(id: string, context: CommandContext): Promise<{ id: string; path: string }> {
  const domain = await requireDomain(id, context);
  if (context.caller.role === 'Admin' || domain.id !== context.caller.domainId) return domain;
  throw new SlipwayError('SLIPWAY_PERMISSION_DENIED', 'Domain admins may change the domains below their own only');
}
