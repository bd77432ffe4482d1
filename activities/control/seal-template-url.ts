import { eq } from 'drizzle-orm';
import { host, vmTemplate } from '../../db/schema/index.js';
import { seal } from '../../kvm/keystore/sealed-box.js';
import { SlipwayError } from '../../shared/errors.js';
import type { SealedUrl } from '../../shared/templates.js';
import type { ControlDependencies } from './dependencies.js';

/** User info and query of a URL are secrets: the history shows the rest, and the host alone can read the whole. */
export const sealTemplateUrl =
  ({ db, secretBox }: ControlDependencies) =>
  async ({ templateId, hostId }: { templateId: string; hostId: string }): Promise<SealedUrl> => {
    const [template] = await db.select().from(vmTemplate).where(eq(vmTemplate.id, templateId));
    const [reader] = await db.select({ publicKey: host.publicKey }).from(host).where(eq(host.id, hostId));
    if (!template || !reader) {
      throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Template ${templateId} or host ${hostId} is gone`);
    }
    return { display: template.url, sealed: await seal(secretBox.decrypt(template.urlEncrypted), reader.publicKey) };
  };
