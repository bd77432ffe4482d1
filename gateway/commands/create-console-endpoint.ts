import { SlipwayError } from '../../shared/errors.js';
import { field } from '../protocol/fields.js';
import { required, uuid } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { askConsole, consoleOf } from './ask-console.js';
import { defineCommand, EVERYBODY } from './define-command.js';

/** Where displays listen, on every host. */
const LOOPBACK = '127.0.0.1';

export const createConsoleEndpoint = defineCommand({
  name: 'createConsoleEndpoint',
  description:
    'Says where the VNC display of a running virtual machine listens, and its password. It listens on the loopback ' +
    'address of its host: reach it through an SSH tunnel to the host. CloudStack answers with a web page instead.',
  kind: 'sync',
  allowedRoles: EVERYBODY,
  since: '4.18.0',
  params: {
    virtualmachineid: required(uuid('ID of the virtual machine.')),
    ...unsupported({ token: { type: 'string' } }),
  },
  response: {
    objectName: 'consoleendpoint',
    fields: {
      consoleendpoint: field('object', 'The console.', {
        success: field('boolean', 'True.'),
        url: field('string', 'vnc://, with address and port on the host.'),
        details: field('string', 'How to reach it.'),
        host: field('string', 'Name of the host; for root admins. Slipway has this key, CloudStack has not.'),
        port: field('integer', 'Port on the loopback address of the host. Slipway has this key, CloudStack has not.'),
        password: field('string', 'Password of the display. Slipway has this key, CloudStack has not.'),
      }),
    },
  },
  async handle({ virtualmachineid: id }, context) {
    const { caller, secretBox } = context;
    const place = await consoleOf(id, 'virtualmachineid', context);
    if (place.state !== 'Running') throw noDisplay(`VM ${place.vmName} is ${place.state}`);
    const { port } = (await askConsole('findDisplay', place, {}, context)) as { port: number | null };
    if (port === null || place.vncPasswordEncrypted === null) throw noDisplay(`VM ${place.vmName} does not run`);
    const where = caller.role === 'Admin' ? `host ${place.hostName}` : 'the host that it runs on';
    return {
      consoleendpoint: {
        success: true,
        url: `vnc://${LOOPBACK}:${port}`,
        details:
          `The display listens on the loopback address of ${where}: ssh -L ${port}:${LOOPBACK}:${port} to it, ` +
          'then open the URL with a VNC client',
        host: caller.role === 'Admin' ? place.hostName : undefined,
        port,
        password: secretBox.decrypt(place.vncPasswordEncrypted),
      },
    };
  },
});

const noDisplay = (why: string) =>
  new SlipwayError('SLIPWAY_RESOURCE_STATE', `${why}: only a running VM has a display`);
