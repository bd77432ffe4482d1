import { findZones } from '../../db/reads/find-deployment-parts.js';
import { DISK_FORMATS } from '../../shared/images.js';
import { invalid } from '../protocol/invalid.js';
import {
  ALL_ZONES,
  type ArgumentsOf,
  boolean,
  integer,
  oneOf,
  required,
  string,
  uuid,
  withDefault,
  zoneOrAll,
  zonesOrAll,
} from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { templateFields } from '../responses/template.js';
import { type CommandContext, defineCommand, EVERYBODY } from './define-command.js';
import { onBehalfParameters } from './on-behalf-of.js';
import { imageParameters, registerImage, zonesFor } from './register-image.js';
import { templateDetails } from './register-template-details.js';
import { templateType, templateTypeParameters } from './template-type.js';
import { templateResponses } from './template-responses.js';

const params = {
  name: required(string('Name.')),
  url: required(
    string('Where the image, or a metalink of it, is: http, https or nfs. Only KVM hosts ever call it.', {
      maxLength: 2048,
    }),
  ),
  format: required(oneOf(DISK_FORMATS, 'Format of the image.')),
  hypervisor: required(string('KVM.')),
  ostypeid: uuid('ID of the OS type; required.'),
  zoneid: zoneOrAll('ID of the zone, -1 for every zone. Either this or zoneids.'),
  zoneids: zonesOrAll('IDs of zones, comma separated; -1 alone for every zone. Either this or zoneid.'),
  details: templateDetails,
  requireshvm: withDefault(boolean('Whether it needs hardware virtualisation; true when absent.'), true),
  bits: withDefault(integer('32 or 64; 64 when absent.'), 64),
  ...imageParameters,
  ...templateTypeParameters,
  ...onBehalfParameters,
  ...unsupported({
    projectid: { type: 'uuid' },
    templatetag: { type: 'string' },
    passwordenabled: { type: 'boolean' },
    sshkeyenabled: { type: 'boolean' },
    isdynamicallyscalable: { type: 'boolean' },
    deployasis: { type: 'boolean', since: '4.15.1' },
    forcks: { type: 'boolean', since: '4.21.0' },
    extensionid: { type: 'uuid', since: '4.21.0' },
    externaldetails: { type: 'map', since: '4.21.0' },
  }),
};

type Arguments = ArgumentsOf<typeof params>;

export const registerTemplate = defineCommand({
  name: 'registerTemplate',
  description:
    'Registers a template that goes straight from its URL to primary storage. A KVM host of the zone checks the URL ' +
    'before this answers; the template is ready at once, the bytes come when a virtual machine needs them.',
  kind: 'list',
  allowedRoles: EVERYBODY,
  params,
  response: { objectName: 'template', fields: templateFields },
  async handle(args, context) {
    checkRules(args);
    const zoneIds = await askedZones(args, context);
    if (!args.ostypeid) throw invalid('Please provide a guest OS type');
    const { format, requireshvm: requiresHvm, bits } = args;
    const isInEveryZone = zoneIds.length === (await findZones(context.db)).length;
    const type = templateType(args, context.caller, { verb: 'register Template with', isInEveryZone });
    const own = { format, type, requiresHvm, bits, ...args.details };
    return templateResponses(context.db, context.caller, await registerImage(args, own, zoneIds, context));
  },
});

function checkRules(args: Arguments): void {
  if (args.hypervisor.toLowerCase() !== 'kvm')
    throw invalid('Parameter directdownload is only allowed for KVM templates');
  if (args.directdownload === false) {
    throw invalid('Slipway has no secondary storage: a template can only be registered with directdownload=true');
  }
  if (args.bits !== 32 && args.bits !== 64) throw invalid('Parameter bits is 32 or 64');
}

async function askedZones({ zoneid, zoneids }: Arguments, context: CommandContext): Promise<string[]> {
  if (zoneid && zoneids) throw invalid('Both zoneid and zoneids cannot be specified at the same time');
  const asked = [...new Set(zoneid ? [zoneid] : (zoneids ?? []))];
  if (asked.length === 0) throw invalid('Either zoneid or zoneids is required. Both cannot be null.');
  if (asked.includes(ALL_ZONES) && asked.length > 1)
    throw invalid('Parameter zoneids cannot combine all zones (-1) with other zones');
  return zonesFor(asked, zoneid ? 'zoneid' : 'zoneids', context);
}
