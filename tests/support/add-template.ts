import { guestOs } from '../../db/schema/index.js';
import { activateTemplate, createTemplate } from '../../db/templates.js';
import type { TestDatabase } from './test-database.js';

interface TemplateOptions extends Partial<Parameters<typeof createTemplate>[2]> {
  /** Of the file. */
  sizeBytes?: number;
  /** The seeded one when absent. */
  zoneIds?: string[];
  /** No host has looked at its URL yet. */
  isRegistering?: boolean;
}

/** A template of an account's that is Ready in its zones, as registerTemplate leaves it. */
export async function addTemplate(
  { db, secretBox, seeded }: Pick<TestDatabase, 'db' | 'secretBox' | 'seeded'>,
  { accountId }: { accountId: string },
  { sizeBytes, zoneIds = [seeded.zoneId], isRegistering = false, ...values }: TemplateOptions = {},
): Promise<string> {
  const [os] = await db.select().from(guestOs).limit(1);
  const { id } = await createTemplate(db, secretBox, {
    name: 'debian',
    displayText: 'debian',
    accountId,
    guestOsId: os!.id,
    format: 'QCOW2',
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
    ...values,
  });
  if (!isRegistering) await activateTemplate(db, { templateId: id, zoneIds, sizeBytes });
  return id;
}
