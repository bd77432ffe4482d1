import { invalid } from '../protocol/invalid.js';
import { boolean, required, string, uuid, withDefault, zoneOrAll } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { isoFields } from '../responses/iso.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { onBehalfParameters } from './on-behalf-of.js';
import { imageParameters, registerImage, zonesFor } from './register-image.js';
import { isoResponses } from './template-responses.js';

export const registerIso = defineCommand({
  name: 'registerIso',
  description:
    'Registers an ISO that bypasses secondary storage. A KVM host of the zone checks the URL before this answers; the ' +
    'ISO is ready at once, the bytes come when a virtual machine is installed from it or has it attached.',
  kind: 'list',
  allowedRoles: EVERYBODY,
  params: {
    name: required(string('Name.')),
    url: required(
      string('Where the ISO, or a metalink of it, is: http, https or nfs. Only KVM hosts ever call it.', {
        maxLength: 2048,
      }),
    ),
    zoneid: required(zoneOrAll('ID of the zone, -1 for every zone.')),
    bootable: withDefault(boolean('Whether a machine can start from it; true when absent.'), true),
    ostypeid: uuid('ID of the OS type; required unless bootable is false.'),
    ...imageParameters,
    ...onBehalfParameters,
    ...unsupported({
      projectid: { type: 'uuid' },
      imagestoreuuid: { type: 'string' },
      isdynamicallyscalable: { type: 'boolean' },
      passwordenabled: { type: 'boolean' },
    }),
  },
  response: { objectName: 'iso', fields: isoFields },
  async handle(args, context) {
    if (args.directdownload === false) {
      throw invalid('Slipway has no secondary storage: an ISO can only be registered with directdownload=true');
    }
    const zoneIds = await zonesFor([args.zoneid], 'zoneid', context);
    if (args.bootable && !args.ostypeid) throw invalid('Please pass a valid GuestOS Id');
    const rows = await registerImage(
      args,
      {
        format: 'ISO',
        hypervisorType: 'None',
        requiresHvm: true,
        bits: 64,
        bootable: args.bootable,
        details: [],
        headers: [],
      },
      zoneIds,
      context,
    );
    return isoResponses(context.db, context.caller, rows);
  },
});
