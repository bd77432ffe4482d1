import { randomInt } from 'node:crypto';
import { type SQL, sql } from 'drizzle-orm';
import type { Database, Transaction } from '../../db/client.js';

type Write = (tx: Pick<Transaction, 'execute'>) => PromiseLike<unknown>;

/** Few accounts, so that those who write at once write for the same. */
const someAccount = sql`(select id from account where account_name like 'bench-_' order by random() limit 1)`;
/** Of rows that nobody else is at: who waits for whom is not what this is about. */
const some = (rows: SQL) =>
  sql`(select id from ${rows} order by random() limit ${randomInt(1, 4)} for update skip locked)`;
const shown = sql`vm_instance where state <> 'Expunged'`;
/** What the machines are of; it stays as it is. */
const template = sql`(select id from vm_template where name = 'debian')`;
const templates = sql`vm_template where name <> 'debian'`;
const old = sql`now() - random() * interval '100 days'`;

/** Stopped, with a disk each. */
export const addMachines: Write = (tx) =>
  tx.execute(sql`
    with made as (
      insert into vm_instance (name, display_name, instance_name, account_id, data_center_id, template_id, service_offering_id, state)
      select 'vm', 'vm', gen_random_uuid()::text, account.id, (select id from data_center limit 1), ${template},
        (select id from service_offering limit 1), 'Stopped'
      from account where account_name like 'bench-_' order by random() limit ${randomInt(1, 5)}
      returning id, account_id)
    insert into volumes (name, account_id, instance_id, volume_type, template_id)
    select 'disk', account_id, id, 'ROOT', ${template} from made`);

/** A template or an ISO, to be there at once in each zone. */
const addTemplates: Write = (tx) =>
  tx.execute(sql`
    with made as (
      insert into vm_template (name, display_text, account_id, state, format, url_encrypted, url, is_public, is_featured)
      select 'some', 'some', ${someAccount}, case when random() < 0.8 then 'Active' else 'Registering' end,
        case when random() < 0.5 then 'ISO' else 'QCOW2' end, 'none', 'none', random() < 0.5, random() < 0.5
      from generate_series(1, ${randomInt(1, 4)}::int)
      returning id)
    insert into template_store_ref (template_id, data_center_id) select made.id, data_center.id from made cross join data_center`);

const ofTemplates: Write[] = [
  addTemplates,
  addTemplates,
  (tx) => tx.execute(sql`update vm_template set is_public = not is_public where id in ${some(templates)}`),
  (tx) => tx.execute(sql`update vm_template set is_featured = not is_featured where id in ${some(templates)}`),
  (tx) => tx.execute(sql`update vm_template set name = 'another' where id in ${some(templates)}`),
  (tx) => tx.execute(sql`update vm_template set account_id = ${someAccount} where id in ${some(templates)}`),
  (tx) =>
    tx.execute(
      sql`update vm_template set state = 'Active' where id in ${some(sql`vm_template where state = 'Registering'`)}`,
    ),
  (tx) => tx.execute(sql`update vm_template set state = 'Inactive', removed = now() where id in ${some(templates)}`),
  (tx) => tx.execute(sql`delete from vm_template where id in ${some(templates)}`),
  // From its zones, one by one, and to them again. Whoever does so has the template first.
  (tx) =>
    tx.execute(sql`
      with held as materialized ${some(templates)}
      update template_store_ref set state = case when random() < 0.5 then 'Destroyed' else state end
      where template_id in (select id from held)`),
  (tx) => tx.execute(sql`delete from template_store_ref where template_id in ${some(templates)}`),
  (tx) =>
    tx.execute(sql`
      with held as materialized ${some(templates)}
      insert into template_store_ref (template_id, data_center_id) select held.id, data_center.id from held cross join data_center
      on conflict do nothing`),
];

const WRITES: Write[] = [
  ...ofTemplates,
  addMachines,
  addMachines,
  (tx) =>
    tx.execute(sql`
      insert into event (type, level, description, account_id, created)
      select 'VM.CREATE', 'INFO', 'of somebody', id, ${old} from account where account_name like 'bench-_' union all
      select 'HOST.DOWN', 'WARN', 'of nobody', null, ${old}`),
  (tx) =>
    tx.execute(sql`
      insert into async_job (account_id, user_id, job_cmd, workflow_type, workflow_id, workflow_input, job_status, instance_type, completed)
      select account_id, id, 'some', 'some', gen_random_uuid(), '{}', 1, 'None', ${old} from "user" where username like 'bench-_'`),
  (tx) =>
    tx.execute(sql`
      insert into resource_tags (key, value, account_id, instance_id)
      select 'key', 'value', account_id, id from vm_instance where id in ${some(shown)} on conflict do nothing`),
  (tx) => tx.execute(sql`update vm_instance set state = 'Expunged', removed = now() where id in ${some(shown)}`),
  // What no code does: the numbers follow all the same.
  (tx) => tx.execute(sql`update vm_instance set account_id = ${someAccount} where id in ${some(sql`vm_instance`)}`),
  (tx) =>
    tx.execute(
      sql`update vm_instance set state = 'Stopped' where id in ${some(sql`vm_instance where state = 'Expunged'`)}`,
    ),
  // Another disk takes its place; one ends by itself.
  (tx) => tx.execute(sql`update volumes set removed = now() where id in ${some(sql`volumes where removed is null`)}`),
  (tx) =>
    tx.execute(sql`update volumes set state = 'Expunged' where id in ${some(sql`volumes where removed is not null`)}`),
  (tx) => tx.execute(sql`update event set archived = not archived where id in ${some(sql`event`)}`),
  (tx) => tx.execute(sql`update async_job set job_result_code = 530 where id in ${some(sql`async_job`)}`),
  (tx) => tx.execute(sql`delete from event where id in ${some(sql`event`)}`),
  (tx) => tx.execute(sql`delete from volumes where id in ${some(sql`volumes`)}`),
  (tx) =>
    tx.execute(sql`
      delete from vm_instance where id in ${some(sql`vm_instance where id not in (select instance_id from volumes)`)}`),
  (tx) => tx.execute(sql`delete from resource_tags where id in ${some(sql`resource_tags`)}`),
  (tx) =>
    tx.execute(sql`
      insert into resource_tags (key, value, account_id, instance_id) select 'key', 'another', account_id, id from vm_instance
      where id in ${some(shown)} on conflict (instance_id, key) do update set value = excluded.value`),
];

class TakenBack extends Error {}
const unlessTakenBack = (error: unknown): void => {
  // What is written here in any order may deadlock, and is taken back then.
  const isDeadlock = ((error as Error).cause as { code?: string } | undefined)?.code === '40P01';
  if (!(error instanceof TakenBack) && !isDeadlock) throw error;
};

/**
 * A few writes, some of them, or all, taken back: of VMs, volumes, jobs, events, tags and templates of accounts that are called
 * `bench-` and a digit, and what no code does with them too. Of the template `debian` there are VMs.
 */
export const writeAtRandom = (db: Database): Promise<void> =>
  db
    .transaction(async (tx) => {
      for (let left = randomInt(1, 5); left > 0; left--) {
        const write = WRITES[randomInt(WRITES.length)]!;
        if (randomInt(4) > 0) await write(tx);
        else
          await tx
            .transaction(async (inner) => {
              await write(inner);
              throw new TakenBack();
            })
            .catch(unlessTakenBack);
      }
      if (randomInt(4) === 0) throw new TakenBack();
    })
    .catch(unlessTakenBack);
