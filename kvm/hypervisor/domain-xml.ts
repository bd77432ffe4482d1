import { XMLBuilder, XMLParser } from 'fast-xml-parser';

/** Marks a domain as ours, in its metadata. Domains without it are other people's and are never touched. */
export interface DomainMark {
  installationId: string;
  hostId: string;
  vmId: string;
  token: number;
}

export interface DomainDescription {
  mark: DomainMark;
  domainType: 'kvm' | 'qemu';
  arch: string;
  name: string;
  title: string;
  cpus: number;
  memoryBytes: number;
  /** Absolute paths. */
  disk: { path: string; backing: { path: string; format: 'qcow2' | 'raw' } | null };
  consolePath: string;
  /** Whether libvirt changes the owner of disks: the system instance does, a user's own cannot. */
  hasDacDriver: boolean;
}

const NAMESPACE = 'urn:slipway:domain:1';
const ATTRIBUTE = '@';

const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: ATTRIBUTE, suppressEmptyNode: true });
const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: ATTRIBUTE, parseTagValue: false });

/** @returns libvirt's XML for a transient domain */
export function buildDomainXml(description: DomainDescription): string {
  const { mark, domainType, arch, name, title, cpus, memoryBytes, consolePath } = description;
  const isX86 = arch === 'x86_64';
  return String(
    builder.build({
      domain: {
        '@type': domainType,
        name,
        uuid: mark.vmId,
        title: printable(title),
        metadata: {
          'slipway:domain': {
            '@xmlns:slipway': NAMESPACE,
            '@installation': mark.installationId,
            '@host': mark.hostId,
            '@vm': mark.vmId,
            '@token': String(mark.token),
          },
        },
        memory: { '@unit': 'b', '#text': String(memoryBytes) },
        vcpu: String(cpus),
        os: {
          // Only x86 has a BIOS; other machines boot through UEFI.
          ...(isX86 ? {} : { '@firmware': 'efi' }),
          type: { '@arch': arch, '@machine': isX86 ? 'q35' : 'virt', '#text': 'hvm' },
          boot: { '@dev': 'hd' },
        },
        features: { acpi: '', ...(isX86 ? { apic: '' } : {}) },
        // QEMU's default emulates a CPU of 2003, which current distributions refuse to run on.
        cpu: { '@mode': domainType === 'kvm' ? 'host-passthrough' : 'maximum' },
        on_poweroff: 'destroy',
        on_reboot: 'restart',
        on_crash: 'destroy',
        devices: {
          disk: diskElement(description),
          controller: { '@type': 'usb', '@model': 'none' },
          serial: {
            '@type': 'file',
            // Earlier boots of the VM are kept; virtlogd bounds the size.
            source: { '@path': consolePath, '@append': 'on' },
            target: { '@port': '0' },
          },
          memballoon: { '@model': 'none' },
        },
      },
    }),
  );
}

/**
 * libvirt gives the overlay to QEMU's user for the time the VM runs. The template below it keeps its owner and is read
 * as "others" may: several VMs share it, and none may write it. The chain is spelled out so that nothing is probed.
 */
function diskElement({ disk, hasDacDriver }: DomainDescription): object {
  return {
    '@type': 'file',
    '@device': 'disk',
    driver: { '@name': 'qemu', '@type': 'qcow2' },
    source: { '@file': disk.path },
    backingStore: disk.backing
      ? {
          '@type': 'file',
          format: { '@type': disk.backing.format },
          source: {
            '@file': disk.backing.path,
            ...(hasDacDriver ? { seclabel: { '@model': 'dac', '@relabel': 'no' } } : {}),
          },
          backingStore: '',
        }
      : '',
    target: { '@dev': 'vda', '@bus': 'virtio' },
  };
}

/** A KVM domain that does nothing, to find out whether one starts at all. */
export const buildProbeXml = (name: string, arch: string): string =>
  String(
    builder.build({
      domain: {
        '@type': 'kvm',
        name,
        memory: { '@unit': 'MiB', '#text': '16' },
        vcpu: '1',
        os: { type: { '@arch': arch, '#text': 'hvm' } },
        devices: { controller: { '@type': 'usb', '@model': 'none' }, memballoon: { '@model': 'none' } },
      },
    }),
  );

/** The mark in a domain's XML; undefined for a domain that is not of any Slipway. */
export function readDomainMark(xml: string): DomainMark | undefined {
  // Most of what other people run is told apart without parsing it.
  if (!xml.includes(NAMESPACE)) return undefined;
  const document = parser.parse(xml) as {
    domain?: { metadata?: { 'slipway:domain'?: Record<string, string> } };
  };
  const element = document.domain?.metadata?.['slipway:domain'];
  if (element?.['@xmlns:slipway'] !== NAMESPACE) return undefined;
  const { '@installation': installationId, '@host': hostId, '@vm': vmId, '@token': token } = element;
  if (!installationId || !hostId || !vmId || !token || !/^\d+$/.test(token)) return undefined;
  return { installationId, hostId, vmId, token: Number(token) };
}

/** A title is one line, and XML has no room for control characters. */
const printable = (text: string): string =>
  text.replace(/\s+/g, ' ').replace(/[^\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD');
