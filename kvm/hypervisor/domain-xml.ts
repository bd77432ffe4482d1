import { XMLBuilder, XMLParser } from 'fast-xml-parser';
import {
  CDROM_TARGET,
  type CdromBus,
  cdromElement,
  type NicDevice,
  nicElement,
  type RootDiskDevice,
  rootDiskElement,
  seedElement,
  vncElement,
} from './device-xml.js';

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
  disk: RootDiskDevice;
  /** Absolute path of what is in the CD-ROM drive. */
  iso: string | null;
  bootsFromIso: boolean;
  /** Absolute path of the ISO that tells the guest who it is. */
  seed: string | null;
  nics: NicDevice[];
  vncPassword: string;
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
  const { mark, domainType, arch, name, title, cpus, memoryBytes, iso, seed, consolePath, hasDacDriver } = description;
  const isX86 = arch === 'x86_64';
  const bus: CdromBus = isX86 ? 'sata' : 'scsi';
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
          boot: (description.bootsFromIso ? ['cdrom', 'hd'] : ['hd', 'cdrom']).map((device) => ({ '@dev': device })),
        },
        features: { acpi: '', ...(isX86 ? { apic: '' } : {}) },
        // QEMU's default emulates a CPU of 2003, which current distributions refuse to run on.
        cpu: { '@mode': domainType === 'kvm' ? 'host-passthrough' : 'maximum' },
        on_poweroff: 'destroy',
        on_reboot: 'restart',
        on_crash: 'destroy',
        devices: {
          disk: [
            rootDiskElement(description.disk, hasDacDriver),
            cdromElement(iso, bus, hasDacDriver),
            ...(seed === null ? [] : [seedElement(seed, bus)]),
          ],
          controller: [
            { '@type': 'usb', '@model': 'none' },
            ...(isX86 ? [] : [{ '@type': 'scsi', '@model': 'virtio-scsi' }]),
          ],
          interface: description.nics.map(nicElement),
          serial: {
            '@type': 'file',
            // Earlier boots of the VM are kept; virtlogd bounds the size.
            source: { '@path': consolePath, '@append': 'on' },
            target: { '@port': '0' },
          },
          graphics: vncElement(description.vncPassword),
          // The cheapest that every BIOS, and every guest, can show something on.
          video: { model: { '@type': isX86 ? 'vga' : 'virtio' } },
          memballoon: { '@model': 'none' },
        },
      },
    }),
  );
}

/** A disc, or none, for the CD-ROM drive of a domain that runs. */
export const buildCdromXml = (iso: string | null, bus: CdromBus, hasDacDriver: boolean): string =>
  String(builder.build({ disk: cdromElement(iso, bus, hasDacDriver) }));

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

/**
 * The CD-ROM drive in the XML of a running domain.
 *
 * @returns undefined when it has none; `iso` is an absolute path
 */
export function readCdrom(xml: string): { bus: CdromBus; iso: string | null } | undefined {
  const document = parser.parse(xml) as { domain?: { devices?: { disk?: DiskElement | DiskElement[] } } };
  const disks = [document.domain?.devices?.disk ?? []].flat();
  const drive = disks.find(({ target }) => target?.['@dev'] === CDROM_TARGET);
  const bus = drive?.target?.['@bus'];
  if (!drive || drive['@device'] !== 'cdrom' || (bus !== 'sata' && bus !== 'scsi')) return undefined;
  return { bus, iso: drive.source?.['@file'] ?? null };
}

interface DiskElement {
  '@device'?: string;
  target?: { '@dev'?: string; '@bus'?: string };
  source?: { '@file'?: string };
}

/** A title is one line, and XML has no room for control characters. */
const printable = (text: string): string =>
  text.replace(/\s+/g, ' ').replace(/[^\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD');
