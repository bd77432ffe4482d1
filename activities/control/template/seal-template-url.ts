import { and, eq } from 'drizzle-orm';
import { vmTemplate, vmTemplateDetails } from '../../../db/schema/index.js';
import { HTTP_HEADER_DETAIL } from '../../../db/templates.js';
import type { RegisteredSource } from '../../../kvm/download/source-client.js';
import { sealJson } from '../../../kvm/keystore/sealed-json.js';
import { SlipwayError } from '../../../shared/errors.js';
import { splitHeader } from '../../../shared/http-headers.js';
import type { SealedUrl } from '../../../shared/templates.js';
import type { ControlDependencies } from '../dependencies.js';
import { readerKeyOf } from '../host/reader-key.js';

/**
 * User info and query of a URL, and values of HTTP headers, are secrets: the history shows the rest, and the host alone
 * can read the whole.
 */
export const sealTemplateUrl =
  ({ db, secretBox }: ControlDependencies) =>
  async ({ templateId, hostId }: { templateId: string; hostId: string }): Promise<SealedUrl> => {
    const [template] = await db.select().from(vmTemplate).where(eq(vmTemplate.id, templateId));
    if (!template) throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Template ${templateId} is gone`);
    const publicKey = await readerKeyOf(db, hostId);
    const headers = await db
      .select({ encrypted: vmTemplateDetails.value })
      .from(vmTemplateDetails)
      .where(and(eq(vmTemplateDetails.templateId, templateId), eq(vmTemplateDetails.name, HTTP_HEADER_DETAIL)));
    const registered: RegisteredSource = {
      url: secretBox.decrypt(template.urlEncrypted),
      headers: headers.map(({ encrypted }) => splitHeader(secretBox.decrypt(encrypted))),
    };
    return { display: template.url, sealed: await sealJson(registered, publicKey) };
  };
