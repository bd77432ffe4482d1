import { generateKeyPair } from '../../kvm/keystore/sealed-box.js';
import { openSealedJson } from '../../kvm/keystore/sealed-json.js';
import type { ConsoleText } from '../../shared/virtual-machines.js';
import { field } from '../protocol/fields.js';
import { integer, required, uuid, withDefault } from '../protocol/parameters.js';
import { askConsole, consoleOf } from './ask-console.js';
import { defineCommand, EVERYBODY } from './define-command.js';

const MAXIMUM_KIB = 512;
const KIB = 1024;

export const getVirtualMachineConsoleLog = defineCommand({
  name: 'getVirtualMachineConsoleLog',
  description:
    'Answers with the end of what a virtual machine wrote to its serial console, also when it has stopped since. ' +
    'Slipway has this command, CloudStack has not.',
  kind: 'sync',
  allowedRoles: EVERYBODY,
  params: {
    id: required(uuid('ID of the virtual machine.')),
    length: withDefault(integer('How much of the end, in KiB; 64 when absent.', { min: 1, max: MAXIMUM_KIB }), 64),
  },
  response: {
    objectName: 'consolelog',
    fields: {
      consolelog: field('object', 'The console log.', {
        id: field('string', 'ID of the virtual machine.'),
        output: field('string', 'What was written; bytes that are no UTF-8 are replaced.'),
      }),
    },
  },
  async handle({ id, length }, context) {
    const place = await consoleOf(id, 'id', context);
    // For this call alone: Temporal keeps what workflows answer, and a guest prints what it likes, passwords too.
    const keyPair = await generateKeyPair();
    const question = { lengthBytes: length * KIB, replyKey: keyPair.publicKey };
    const { sealed } = (await askConsole('readConsoleLog', place, question, context)) as { sealed: string };
    const { base64 } = await openSealedJson<ConsoleText>(sealed, keyPair);
    return { consolelog: { id, output: Buffer.from(base64, 'base64').toString('utf8') } };
  },
});
