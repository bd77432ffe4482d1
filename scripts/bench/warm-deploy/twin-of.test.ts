import { twinOf } from './twin-of.js';

const xml = `<domain type='kvm'>
  <name>i-7</name>
  <uuid>7</uuid>
  <metadata><mark vm="7"/></metadata>
  <disk type='file' device='cdrom'><source file='/console/7.iso'/></disk>
  <disk type='file' device='disk'>
    <source file='/pool/7.2' index='2'/>
    <backingStore type='file'><source file='/pool/t.g1.e1'/></backingStore>
  </disk>
  <serial><source path='/console/7.log'/></serial>
  <seclabel type='dynamic' model='dac' relabel='yes'>
    <label>+1:+1</label>
  </seclabel>
</domain>`;

describe('twinOf', () => {
  it('is the same but for its name, its id and its disk, and carries no mark', () => {
    expect(twinOf(xml, { id: '8', directory: '/pool' })).toEqual({
      diskPath: '/pool/by-hand-8',
      backingPath: '/pool/t.g1.e1',
      xml: xml
        .replace('<name>i-7', '<name>by-hand-8')
        .replace('<uuid>7', '<uuid>8')
        .replace('<metadata><mark vm="7"/></metadata>', '')
        .replace('/pool/7.2', '/pool/by-hand-8')
        .replace(/<seclabel.*<\/seclabel>/s, ''),
    });
  });

  it('refuses a domain without a disk on a template', () => {
    expect(() => twinOf(xml.replace('/pool/t.g1.e1', ''), { id: '8', directory: '/pool' })).toThrow('not as Slipway');
  });
});
