import { audit } from '../../db/audit.js';
import { findZones, hasGuestOs } from '../../db/reads/find-deployment-parts.js';
import type { Listed } from '../../db/reads/list-query.js';
import { ANY_IMAGE, type ListedTemplate, listTemplates } from '../../db/reads/list-templates.js';
import { requireRoom } from '../../db/require-room.js';
import { readSettings } from '../../db/settings.js';
import { abandonTemplate, createTemplate, type NewTemplate } from '../../db/templates.js';
import { formatDigest, parseChecksum } from '../../shared/checksum.js';
import { isSlipwayError, SlipwayError } from '../../shared/errors.js';
import type { Failure } from '../../shared/failures.js';
import { imageType, isDiskFormat } from '../../shared/images.js';
import { failureIn, ownerText } from '../../shared/owner-text.js';
import { accountKey, templateKey } from '../../shared/search-attributes.js';
import { templateWorkflowId } from '../../shared/workflow-ids.js';
import { requirePublicRight } from '../auth/require-public-right.js';
import { invalid } from '../protocol/invalid.js';
import { ALL_ZONES, type ArgumentsOf, boolean, oneOf, string, withDefault } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import type { CommandContext } from './define-command.js';
import { onBehalfOf, type onBehalfParameters } from './on-behalf-of.js';

/** At most 3 hosts and 15 seconds inside the workflow, and what Temporal adds. */
const REGISTER_TIMEOUT_MS = 20_000;

/** What registerTemplate and registerIso take alike. */
export const imageParameters = {
  displaytext: string('Text for people; the name when absent.', { maxLength: 4096 }),
  directdownload: boolean(
    'True, also when absent: what does not go straight to primary storage would go to secondary storage, which Slipway has not.',
  ),
  checksum: string('{ALGORITHM}HASH of the file as it is downloaded; a plain hash is MD5.'),
  arch: withDefault(oneOf(['x86_64', 'aarch64'], 'CPU architecture; x86_64 when absent.', { since: '4.20' }), 'x86_64'),
  ispublic: withDefault(boolean('Whether every account may use it; false when absent.'), false),
  isfeatured: withDefault(boolean('Whether it is featured; only a root admin can do that.'), false),
  isextractable: withDefault(boolean('Kept and shown; a direct download is never extracted.'), false),
};

interface ImageArguments extends ArgumentsOf<typeof onBehalfParameters> {
  name: string;
  displaytext: string | undefined;
  url: string;
  ostypeid: string | undefined;
  checksum: string | undefined;
  arch: string;
  ispublic: boolean;
  isfeatured: boolean;
  isextractable: boolean;
}

/** What the two commands set each in its own way. */
type OwnColumns = Pick<
  NewTemplate,
  'format' | 'type' | 'hypervisorType' | 'requiresHvm' | 'bits' | 'bootable' | 'details' | 'headers'
>;

/**
 * Registers a template or an ISO once a host has read its URL.
 *
 * @returns one row per zone
 * @throws SlipwayError when no host could read it, and then nothing is left of it
 */
export async function registerImage(
  args: ImageArguments,
  own: OwnColumns,
  zoneIds: string[],
  context: CommandContext,
): Promise<Listed<ListedTemplate>> {
  const { db, secretBox, caller } = context;
  if (args.ostypeid && !(await hasGuestOs(db, args.ostypeid))) {
    throw noSuchEntity(context.command, 'ostypeid', args.ostypeid);
  }
  const owner = await onBehalfOf(args, context);
  if (args.ispublic) await requirePublicRight(db, owner, 'Only private templates/ISO can be created.');
  const settings = await readSettings(db);
  const image: NewTemplate = {
    ...own,
    name: args.name,
    displayText: args.displaytext ?? args.name,
    accountId: owner.accountId,
    guestOsId: args.ostypeid,
    url: imageUrl(args.url),
    checksum: canonicalChecksum(args.checksum),
    directDownload: true,
    isPublic: args.ispublic,
    isFeatured: args.isfeatured && caller.role === 'Admin',
    isExtractable: args.isextractable,
    arch: args.arch,
  };
  const { id } = await createTemplate(db, secretBox, image, (tx) => requireRoom(tx, owner, ['template'], settings));
  const isIso = !isDiskFormat(own.format);
  const note = (level: 'INFO' | 'ERROR', description: string, ownerDescription?: string) =>
    audit(db, owner, {
      type: isIso ? 'ISO.CREATE' : 'TEMPLATE.CREATE',
      level,
      description,
      ownerDescription,
      resourceType: imageType(own.format),
      resourceId: id,
    });
  const registered = () =>
    listTemplates(db, caller, { ...ANY_IMAGE, isIso, ids: [id] }, { limit: zoneIds.length, offset: 0 });
  try {
    await context.executeWorkflow({
      workflowType: 'registerTemplate',
      workflowId: templateWorkflowId(id),
      input: { templateId: id, zoneIds, format: own.format },
      searchAttributes: [
        { key: templateKey, value: id },
        { key: accountKey, value: owner.accountId },
      ],
      summary: `Register ${isIso ? 'ISO' : 'template'} ${id}`,
      timeoutMs: REGISTER_TIMEOUT_MS,
    });
  } catch (error) {
    // Temporal may have lost its answer only. The row decides: Active, it is registered; else it will never be.
    await abandonTemplate(db, id);
    const rows = await registered();
    if (rows.count === 0) {
      const failure: Failure = isSlipwayError(error)
        ? failureIn(error)
        : { code: 'SLIPWAY_INTERNAL', message: 'an unexpected error' };
      const what = `${args.name} could not be registered`;
      await note('ERROR', `${what}: ${failure.message}`, `${what}: ${ownerText(failure)}`);
      throw error;
    }
  }
  await note('INFO', `${args.name} was registered`);
  return registered();
}

/**
 * The zones that were asked for and that the caller may use.
 *
 * @param parameter which one named them, for the text of an error
 * @throws SlipwayError SLIPWAY_PARAMETER_VALUE, SLIPWAY_PERMISSION_DENIED
 */
export async function zonesFor(
  asked: string[],
  parameter: 'zoneid' | 'zoneids',
  { db, caller, command }: CommandContext,
): Promise<string[]> {
  const isEverywhere = asked.includes(ALL_ZONES);
  const zones = await findZones(db, isEverywhere ? undefined : asked);
  const unknown = asked.find((id) => id !== ALL_ZONES && !zones.some((zone) => zone.id === id));
  if (unknown) throw noSuchEntity(command, parameter, unknown);
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

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID when it is none of the known algorithms */
export function canonicalChecksum(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const parsed = parseChecksum(text);
  if ('problem' in parsed) throw invalid(parsed.problem);
  return formatDigest(parsed.digest);
}
