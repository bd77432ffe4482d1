import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns';
import type { AddressInfo, LookupFunction } from 'node:net';

/** A real DNS server (RFC 1035) that answers as its script says. */
export interface NameServer {
  /** Asks this server, and caches nothing. */
  resolve: LookupFunction;
  /** How often a name was asked for. */
  questions(name: string): number;
  /** Addresses (IPv4) for each question in turn; the last ones for all further questions. */
  script(name: string, ...answers: string[][]): void;
  stop(): Promise<void>;
}

const HEADER_BYTES = 12;
const ADDRESS_RECORD = 1;
const INTERNET = 1;
const NO_SUCH_NAME = 3;

/** The name of the first question, and the offset behind the question. */
function readQuestion(message: Buffer): { name: string; type: number; endByte: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), endByte: at + 5 };
}

function addressRecord(address: string): Buffer {
  const record = Buffer.alloc(16);
  // The name is that of the question.
  record.writeUInt16BE(0xc000 | HEADER_BYTES, 0);
  record.writeUInt16BE(ADDRESS_RECORD, 2);
  record.writeUInt16BE(INTERNET, 4);
  // Of no time to live.
  record.writeUInt32BE(0, 6);
  record.writeUInt16BE(4, 10);
  for (const [index, part] of address.split('.').entries()) record.writeUInt8(Number(part), 12 + index);
  return record;
}

export async function startNameServer(): Promise<NameServer> {
  const scripts = new Map<string, string[][]>();
  const asked = new Map<string, number>();
  const socket = createSocket('udp4');

  socket.on('message', (message, { address, port }) => {
    const { name, type, endByte } = readQuestion(message);
    const script = type === ADDRESS_RECORD ? scripts.get(name) : undefined;
    const count = asked.get(name) ?? 0;
    if (script) asked.set(name, count + 1);
    const addresses = script?.[Math.min(count, script.length - 1)] ?? [];
    const header = Buffer.from(message.subarray(0, HEADER_BYTES));
    // An authoritative answer to a standard query.
    header.writeUInt16BE(0x8400 | (message.readUInt16BE(2) & 0x0100) | (scripts.has(name) ? 0 : NO_SUCH_NAME), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(addresses.length, 6);
    header.writeUInt32BE(0, 8);
    const question = message.subarray(HEADER_BYTES, endByte);
    socket.send(Buffer.concat([header, question, ...addresses.map(addressRecord)]), port, address);
  });
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));

  const resolver = new Resolver({ timeout: 1_000, tries: 2 });
  resolver.setServers([`127.0.0.1:${(socket.address() as AddressInfo).port}`]);
  return {
    resolve: (name, _options, callback) => {
      resolver.resolve4(name, (error, addresses) => {
        if (error) return callback(error, '');
        callback(null, addresses.map((address) => ({ address, family: 4 }))); // prettier-ignore
      });
    },
    questions: (name) => asked.get(name) ?? 0,
    script: (name, ...answers) => {
      scripts.set(name, answers);
      asked.delete(name);
    },
    stop: () => new Promise((done) => socket.close(() => done())),
  };
}
