import { SlipwayError } from '../../shared/errors.js';
import type { Caller } from '../../db/reads/find-caller.js';
import { TEMPLATE_TYPES, type TemplateType } from '../../db/templates.js';
import { invalid } from '../protocol/invalid.js';
import { boolean, oneOf } from '../protocol/parameters.js';

/** What registerTemplate and updateTemplate take alike. */
export const templateTypeParameters = {
  templatetype: oneOf(TEMPLATE_TYPES, 'What it is for; all but USER is for root admins.', {
    since: '4.19.0',
  }),
  isrouting: boolean('Whether it is a ROUTING template; for root admins. templatetype says the same.'),
};

interface Asked {
  templatetype: TemplateType | undefined;
  isrouting: boolean | undefined;
}

/**
 * The type that is asked for, by CloudStack's rules.
 *
 * @param isInEveryZone a SYSTEM template has to be: system VMs are started in any zone
 * @returns undefined when none is asked for
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID, SLIPWAY_PERMISSION_DENIED
 */
export function templateType(
  { templatetype, isrouting }: Asked,
  { role }: Pick<Caller, 'role'>,
  { verb, isInEveryZone }: { verb: 'register Template with' | 'update Template to'; isInEveryZone: boolean },
): TemplateType | undefined {
  if (isrouting !== undefined && role !== 'Admin') {
    throw new SlipwayError(
      'SLIPWAY_PERMISSION_DENIED',
      'Parameter isrouting can only be specified by a Root Admin, permission denied',
    );
  }
  if (templatetype && isrouting !== undefined && (templatetype === 'ROUTING') !== isrouting) {
    throw invalid('Please specify a valid templatetype (consistent with isrouting parameter).');
  }
  if (templatetype && templatetype !== 'USER' && role !== 'Admin') {
    throw invalid(`Users can not ${verb} template type ${templatetype}.`);
  }
  if (templatetype === 'SYSTEM' && !isInEveryZone) {
    throw invalid('System and Builtin templates must be cross zone.');
  }
  if (isrouting === undefined) return templatetype;
  return isrouting ? 'ROUTING' : (templatetype ?? 'USER');
}
