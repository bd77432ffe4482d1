import { asc, eq } from 'drizzle-orm';
import type { Database } from '../../db/client.js';
import { asyncJob, event, host, templateSpoolRef, vmInstance, vmTemplate, volumes } from '../../db/schema/index.js';

/**
 * What happened to each VM, image and host that a text names, also by a disk or a copy of it, as far as the database
 * knows: its jobs and events in order.
 */
export async function tellStories(db: Database, text: string): Promise<string[]> {
  const disks = await db.select().from(volumes);
  const copies = await db.select().from(templateSpoolRef);
  const subjects = [
    ...(await db.select().from(vmInstance)).map((vm) => ({
      row: vm,
      parts: disks.filter(({ instanceId }) => instanceId === vm.id),
    })),
    ...(await db.select().from(vmTemplate)).map((image) => ({
      row: image,
      parts: copies.filter(({ templateId }) => templateId === image.id),
    })),
    ...(await db.select().from(host)).map((row) => ({ row, parts: [] })),
  ];
  const lines: string[] = [];
  for (const { row, parts } of subjects) {
    if (![row, ...parts].some(({ id }) => text.includes(id))) continue;
    const jobs = await db.select().from(asyncJob).where(eq(asyncJob.instanceId, row.id)).orderBy(asc(asyncJob.created));
    const events = await db.select().from(event).where(eq(event.resourceId, row.id)).orderBy(asc(event.created));
    const story = [
      ...jobs.map(({ created, jobCmd, jobStatus, id, jobResult }) => ({
        created,
        line: `job ${id} ${jobCmd} ended ${jobStatus}: ${JSON.stringify(jobResult)}`,
      })),
      ...events.map(({ created, type, description }) => ({ created, line: `event ${type}: ${description}` })),
    ].toSorted((a, b) => (a.created < b.created ? -1 : 1));
    lines.push(
      ...[row, ...parts].map((one) => JSON.stringify(one)),
      ...story.map(({ created, line }) => `  ${created} ${line}`),
    );
  }
  return lines;
}
