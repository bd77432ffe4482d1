import { abandonTemplate, createTemplate } from '../../db/templates.js';
import { findZones, hasGuestOs } from '../../db/reads/find-deployment-parts.js';
import { listTemplates } from '../../db/reads/list-templates.js';
import { formatDigest, parseChecksum } from '../../shared/checksum.js';
import { SlipwayError } from '../../shared/errors.js';
import { DISK_FORMATS } from '../../shared/images.js';
import { accountKey, templateKey } from '../../shared/search-attributes.js';
import { templateWorkflowId } from '../../shared/workflow-ids.js';
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
import { noSuchEntity } from '../protocol/standard-texts.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { templateFields } from '../responses/template.js';
import { type CommandContext, defineCommand, EVERYBODY } from './define-command.js';
import { templateDetails } from './register-template-details.js';
import { templateResponses } from './template-responses.js';

/** At most 3 hosts and 15 seconds inside the workflow, and what Temporal adds. */
const REGISTER_TIMEOUT_MS = 20_000;

const params = {
  name: required(string('Name.')),
  displaytext: string('Text for people; the name when absent.', { maxLength: 4096 }),
  url: required(
    string('Where the image, or a metalink of it, is: http, https or nfs. Only KVM hosts ever call it.', {
      maxLength: 2048,
    }),
  ),
  format: required(oneOf(DISK_FORMATS, 'Format of the image.')),
  hypervisor: required(string('KVM.')),
  directdownload: boolean('Must be true: Slipway has no secondary storage.'),
  ostypeid: uuid('ID of the OS type; required.'),
  zoneid: zoneOrAll('ID of the zone, -1 for every zone. Either this or zoneids.'),
  zoneids: zonesOrAll('IDs of zones, comma separated; -1 alone for every zone. Either this or zoneid.'),
  checksum: string('{ALGORITHM}HASH of the file as it is downloaded; a plain hash is MD5.'),
  details: templateDetails,
  requireshvm: withDefault(boolean('Whether it needs hardware virtualisation; true when absent.'), true),
  bits: withDefault(integer('32 or 64; 64 when absent.'), 64),
  arch: withDefault(oneOf(['x86_64', 'aarch64'], 'CPU architecture; x86_64 when absent.', { since: '4.20' }), 'x86_64'),
  ispublic: withDefault(boolean('Whether every account may use it; false when absent.'), false),
  isfeatured: withDefault(boolean('Whether it is featured; only a root admin can do that.'), false),
  isextractable: withDefault(boolean('Kept and shown; a direct download is never extracted.'), false),
  ...unsupported({
    account: { type: 'string' },
    domainid: { type: 'uuid' },
    projectid: { type: 'uuid' },
    templatetag: { type: 'string' },
    passwordenabled: { type: 'boolean' },
    sshkeyenabled: { type: 'boolean' },
    isdynamicallyscalable: { type: 'boolean' },
    isrouting: { type: 'boolean' },
    deployasis: { type: 'boolean', since: '4.15.1' },
    templatetype: { type: 'string', since: '4.19.0', harmless: 'user' },
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
    const { db, secretBox, caller } = context;
    checkRules(args);
    const zoneIds = await zonesFor(args, context);
    if (!args.ostypeid) throw invalid('Please provide a guest OS type');
    if (!(await hasGuestOs(db, args.ostypeid))) throw noSuchEntity(context.command, 'ostypeid', args.ostypeid);

    const { id } = await createTemplate(db, secretBox, {
      name: args.name,
      displayText: args.displaytext ?? args.name,
      accountId: caller.accountId,
      guestOsId: args.ostypeid,
      format: args.format,
      url: imageUrl(args.url),
      checksum: canonicalChecksum(args.checksum),
      directDownload: true,
      isPublic: args.ispublic,
      isFeatured: args.isfeatured && caller.role === 'Admin',
      isExtractable: args.isextractable,
      requiresHvm: args.requireshvm,
      bits: args.bits,
      arch: args.arch,
      ...args.details,
    });
    const answer = async () => {
      const filter = { templateFilter: 'self' as const, ids: [id], isRemovedShown: false };
      return templateResponses(
        db,
        caller,
        await listTemplates(db, caller, filter, { limit: zoneIds.length, offset: 0 }),
      );
    };
    const call = {
      workflowType: 'registerTemplate',
      workflowId: templateWorkflowId(id),
      input: { templateId: id, zoneIds, format: args.format },
      searchAttributes: [
        { key: templateKey, value: id },
        { key: accountKey, value: caller.accountId },
      ],
      summary: `Register template ${id}`,
      timeoutMs: REGISTER_TIMEOUT_MS,
    };
    try {
      await context.executeWorkflow(call);
    } catch (error) {
      // Temporal may have lost its answer only. The row decides: Active, it is registered; else it will never be.
      await abandonTemplate(db, id);
      const registered = await answer();
      if (registered.count === 0) throw error;
      return registered;
    }
    return answer();
  },
});

function checkRules(args: Arguments): void {
  if (args.hypervisor.toLowerCase() !== 'kvm')
    throw invalid('Parameter directdownload is only allowed for KVM templates');
  if (args.directdownload !== true) {
    throw invalid('Slipway has no secondary storage: a template can only be registered with directdownload=true');
  }
  if (args.bits !== 32 && args.bits !== 64) throw invalid('Parameter bits is 32 or 64');
}

async function zonesFor(args: Arguments, { db, caller, command }: CommandContext): Promise<string[]> {
  if (args.zoneid && args.zoneids) throw invalid('Both zoneid and zoneids cannot be specified at the same time');
  const asked = [...new Set(args.zoneid ? [args.zoneid] : (args.zoneids ?? []))];
  if (asked.length === 0) throw invalid('Either zoneid or zoneids is required. Both cannot be null.');
  const isEverywhere = asked.includes(ALL_ZONES);
  if (isEverywhere && asked.length > 1)
    throw invalid('Parameter zoneids cannot combine all zones (-1) with other zones');

  const zones = await findZones(db, isEverywhere ? undefined : asked);
  const unknown = asked.find((id) => id !== ALL_ZONES && !zones.some((zone) => zone.id === id));
  if (unknown) throw noSuchEntity(command, args.zoneid ? 'zoneid' : 'zoneids', unknown);
  const usable = zones.filter(({ allocationState }) => caller.role === 'Admin' || allocationState === 'Enabled');
  if (usable.length === 0 || (!isEverywhere && usable.length < zones.length)) {
    throw new SlipwayError('SLIPWAY_PERMISSION_DENIED', 'Cannot perform this operation, zone is currently disabled');
  }
  return usable.map(({ id }) => id);
}

/** Reads the URL and nothing else: to resolve its name or to call it here would make this server a stranger's tool. */
function imageUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:', 'nfs:'].includes(url.protocol)) {
    // The text is not quoted: it may hold a password.
    throw new SlipwayError('SLIPWAY_URL_INVALID', 'Parameter url is not an absolute http, https or nfs URL');
  }
  return url.href;
}

function canonicalChecksum(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const parsed = parseChecksum(text);
  if ('problem' in parsed) throw invalid(parsed.problem);
  return formatDigest(parsed.digest);
}

const invalid = (message: string) => new SlipwayError('SLIPWAY_PARAMETER_INVALID', message);
