import type { directDownloadCertificate, host, storagePool, vmInstance, vmTemplate } from '../../db/schema/index.js';
import { isDiskFormat } from '../../shared/images.js';
import { VM_OPERATIONS } from './operations.js';
import type { Random } from './random.js';
import type { SourceImage, Sources } from './sources.js';

const MOST_VMS = 6;
const MOST_TEMPLATES = 4;
const MOST_ISOS = 2;
/** How often an operation is asked for that makes no sense in the state of the VM. */
const NONSENSE = 0.1;

/** A call of the API. */
export interface Call {
  command: string;
  parameters: Record<string, string | boolean>;
}

/** What does not change while a soak runs. */
export interface Ids {
  zoneid: string;
  ostypeid: string;
  serviceofferingid: string;
  /** Of the blank disk of a VM that is installed from an ISO. */
  diskofferingid: string;
  keypair: string;
}

/** What there is at the moment. Images are neither removed nor still being registered. */
export interface Present {
  vms: readonly (typeof vmInstance.$inferSelect)[];
  images: readonly (typeof vmTemplate.$inferSelect)[];
  hosts: readonly (typeof host.$inferSelect)[];
  pools: readonly (typeof storagePool.$inferSelect)[];
  certificates: readonly (typeof directDownloadCertificate.$inferSelect)[];
}

/** The next call of somebody who does as he likes: most of them make sense. */
export function chooseCall(
  random: Random,
  { vms, images, hosts, pools, certificates }: Present,
  sources: Pick<Sources, 'templates' | 'isos' | 'certificates'>,
  ids: Ids,
): Call {
  const { zoneid, ostypeid, serviceofferingid, diskofferingid, keypair } = ids;
  const templates = images.filter(({ format }) => isDiskFormat(format));
  const isos = images.filter(({ format }) => !isDiskFormat(format));
  const image = random.pick(images);
  const away = hosts.filter(({ resourceState }) => resourceState !== 'Enabled');
  const closed = pools.filter(({ status }) => status !== 'Up');
  const certificate = random.pick(sources.certificates)!;
  // A name that is taken is refused.
  const missing = sources.certificates.filter(
    ({ name }) => !certificates.some((one) => one.alias === name && !one.revoked),
  );

  const register = (command: string, { url, checksum }: SourceImage, kind: Record<string, string>): Call => ({
    command,
    parameters: { name: 'soak', url, zoneid, ostypeid, directdownload: true, ...(checksum && { checksum }), ...kind },
  });
  const deploy = (templateid: string, disk: Record<string, string>): Call => {
    // A seed is made for a guest that has either.
    const guest: Call['parameters'] =
      random.next() < 0.4 ? { keypair, userdata: Buffer.from('#cloud-config\n').toString('base64') } : {};
    return {
      command: 'deployVirtualMachine',
      parameters: { zoneid, serviceofferingid, templateid, startvm: random.next() < 0.8, ...disk, ...guest },
    };
  };
  const options: { weight: number; isPossible: boolean; call: () => Call }[] = [
    {
      weight: 8,
      isPossible: templates.length < MOST_TEMPLATES,
      call: () => register('registerTemplate', random.pick(sources.templates)!, { format: 'QCOW2', hypervisor: 'KVM' }),
    },
    {
      weight: 5,
      isPossible: isos.length < MOST_ISOS,
      call: () => register('registerIso', random.pick(sources.isos)!, {}),
    },
    {
      weight: 20,
      isPossible: templates.length > 0 && vms.length < MOST_VMS,
      call: () => deploy(random.pick(templates)!.id, {}),
    },
    {
      weight: 7,
      isPossible: isos.length > 0 && vms.length < MOST_VMS,
      call: () => deploy(random.pick(isos)!.id, { diskofferingid }),
    },
    { weight: 45, isPossible: vms.length > 0, call: () => operate(random, random.pick(vms)!, { templates, isos }) },
    {
      weight: 4,
      isPossible: templates.length > 0,
      call: () => ({
        command: 'deleteTemplate',
        parameters: { id: random.pick(templates)!.id, forced: random.next() < 0.5 },
      }),
    },
    {
      weight: 3,
      isPossible: isos.length > 0,
      call: () => ({ command: 'deleteIso', parameters: { id: random.pick(isos)!.id } }),
    },
    {
      weight: 4,
      isPossible: image !== undefined,
      call: () => ({ command: 'refreshTemplate', parameters: { id: image!.id } }),
    },
    {
      weight: 5,
      isPossible: image !== undefined,
      call: () => ({
        command: 'prepareTemplate',
        parameters: {
          templateid: image!.id,
          zoneid,
          ...(random.next() < 0.5 ? { storageid: random.pick(pools)!.id } : {}),
        },
      }),
    },
    {
      weight: 2,
      // One of them at a time: what is deployed has to go somewhere.
      isPossible: away.length === 0,
      call: () => ({
        command: 'prepareHostForMaintenance',
        parameters: { id: random.pick(hosts)!.id, stopvirtualmachines: random.next() < 0.5 },
      }),
    },
    {
      weight: 8,
      isPossible: away.length > 0,
      call: () => ({ command: 'cancelHostMaintenance', parameters: { id: random.pick(away)!.id } }),
    },
    {
      weight: 4,
      isPossible: closed.length === 0,
      call: () => ({ command: 'enableStorageMaintenance', parameters: { id: random.pick(pools)!.id } }),
    },
    {
      weight: 12,
      isPossible: closed.length > 0,
      call: () => ({ command: 'cancelStorageMaintenance', parameters: { id: random.pick(closed)!.id } }),
    },
    {
      weight: 4,
      isPossible: true,
      call: () => {
        const { name, pem } = random.pick(missing) ?? certificate;
        return {
          command: 'uploadTemplateDirectDownloadCertificate',
          parameters: { certificate: pem, name, hypervisor: 'KVM', zoneid },
        };
      },
    },
    {
      weight: 2,
      isPossible: certificates.some(({ revoked }) => !revoked),
      call: () => ({
        command: 'revokeTemplateDirectDownloadCertificate',
        parameters: {
          name: certificate.name,
          hypervisor: 'KVM',
          zoneid,
          ...(random.next() < 0.3 ? { hostid: random.pick(hosts)!.id } : {}),
        },
      }),
    },
  ];
  return random.weighted(options.filter(({ isPossible }) => isPossible)).call();
}

function operate(
  random: Random,
  vm: Present['vms'][number],
  images: { templates: Present['images']; isos: Present['images'] },
): Call {
  const isThere = ({ image }: (typeof VM_OPERATIONS)[number]): boolean =>
    !image || image.isOptional || images[`${image.kind}s`].length > 0;
  const possible = VM_OPERATIONS.filter(isThere);
  const sensible = possible.filter(
    ({ states, hasIso }) => states.includes(vm.state) && (hasIso === undefined || hasIso === (vm.isoId !== null)),
  );
  const operation = random.weighted(sensible.length > 0 && random.next() > NONSENSE ? sensible : possible);
  const { command, idName = 'id', parameters, image } = operation;
  const isNamed = image && (!image.isOptional || random.next() < 0.5);
  const named = isNamed ? random.pick(images[`${image.kind}s`]) : undefined;
  return { command, parameters: { [idName]: vm.id, ...parameters, ...(named && { [image!.name]: named.id }) } };
}
