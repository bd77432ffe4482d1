import { asc, eq } from 'drizzle-orm';
import type { Database } from '../../db/client.js';
import { asyncJob, event, volumes } from '../../db/schema/index.js';

/** What happened to the VM of each disk that a text names, as far as the database knows: its jobs and events in order. */
export async function tellStories(db: Database, text: string): Promise<string[]> {
  const lines: string[] = [];
  for (const volume of await db.select().from(volumes)) {
    const { id, instanceId } = volume;
    if (!text.includes(id) || !instanceId) continue;
    const jobs = await db
      .select()
      .from(asyncJob)
      .where(eq(asyncJob.instanceId, instanceId))
      .orderBy(asc(asyncJob.created));
    const events = await db.select().from(event).where(eq(event.resourceId, instanceId)).orderBy(asc(event.created));
    lines.push(
      `disk ${JSON.stringify(volume)}`,
      ...jobs.map(
        ({ created, jobCmd, jobStatus, id: jobId, jobResult }) =>
          `  ${created} job ${jobId} ${jobCmd} ended ${jobStatus}: ${JSON.stringify(jobResult)}`,
      ),
      ...events.map(({ created, type, description }) => `  ${created} event ${type}: ${description}`),
    );
  }
  return lines;
}
