import { guestOs } from '../../db/schema/index.js';
import { activateTemplate, createTemplate } from '../../db/templates.js';
import type { ImageFormat } from '../../shared/images.js';
import type { TestGateway, TestUser } from './test-gateway.js';

/** A template of a user's that is Ready in the zone, as registerTemplate leaves it. */
export async function addTemplate(
  { db, secretBox, seeded }: Pick<TestGateway, 'db' | 'secretBox' | 'seeded'>,
  { accountId }: Pick<TestUser, 'accountId'>,
  options: { format?: ImageFormat; bootable?: boolean; sizeBytes?: number } = {},
): Promise<string> {
  const { format = 'QCOW2', bootable, sizeBytes } = options;
  const [os] = await db.select().from(guestOs).limit(1);
  const { id } = await createTemplate(db, secretBox, {
    name: 'debian',
    displayText: 'debian',
    accountId,
    guestOsId: os!.id,
    format,
    bootable,
    url: 'http://images.example/debian',
    directDownload: true,
    isPublic: false,
    isFeatured: false,
    isExtractable: false,
    requiresHvm: true,
    bits: 64,
    arch: 'x86_64',
    details: [],
    headers: [],
  });
  await activateTemplate(db, { templateId: id, zoneIds: [seeded.zoneId], sizeBytes });
  return id;
}
