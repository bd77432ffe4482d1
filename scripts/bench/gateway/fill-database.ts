import { sql } from 'drizzle-orm';
import type { Database } from '../../../db/client.js';
import type { SecretBox } from '../../../db/secret-box.js';

const ACCOUNTS = 100;

/** Accounts with a user each, whose API key is `bench-<number>` and whose secret key is the same. */
export async function addAccounts(db: Database, secretBox: SecretBox): Promise<void> {
  for (let number = 1; number <= ACCOUNTS; number++) {
    const name = `bench-${number}`;
    await db.execute(sql`
      with owner as (
        insert into account (account_name, type, domain_id)
        select ${name}::text, 'User', id from domain where path = '/' returning id, domain_id
      )
      insert into "user" (username, password, account_id, domain_id, api_key, secret_key_encrypted)
      select ${name}::text, 'none', id, domain_id, ${name}::text, ${secretBox.encrypt(name)}::text from owner`);
  }
}

/** Ready in the zone; each belongs to one of the accounts. */
export async function addTemplates(db: Database, count: number): Promise<void> {
  await db.execute(sql`
    with owners as (select id, row_number() over (order by account_name) - 1 as number from account where account_name like 'bench-%'),
    made as (
      insert into vm_template (name, display_text, account_id, guest_os_id, state, format, url_encrypted, url, direct_download, created)
      select 'template-' || n, 'template-' || n, owners.id, (select id from guest_os limit 1), 'Active', 'QCOW2', 'none',
        'http://images.example/' || n, true, now() - (${count}::int - n) * interval '1 s'
      from generate_series(1, ${count}::int) as n join owners on owners.number = n % ${ACCOUNTS}::int
      returning id)
    insert into template_store_ref (template_id, data_center_id, state, download_state)
    select made.id, data_center.id, 'Ready', 'BYPASSED' from made cross join data_center`);
}

/** Stopped, with a root disk and an interface each. */
export async function addVirtualMachines(db: Database, from: number, to: number): Promise<void> {
  await db.execute(sql`set statement_timeout = 0`);
  await db.execute(sql`
    with owners as (select id, row_number() over (order by account_name) - 1 as number from account where account_name like 'bench-%'),
    made as (
      insert into vm_instance (name, display_name, instance_name, account_id, data_center_id, template_id, service_offering_id, state, created)
      select 'vm-' || n, 'vm-' || n, 'i-bench-' || n, owners.id, (select id from data_center limit 1),
        (select id from vm_template where name = 'template-1'), (select id from service_offering limit 1), 'Stopped',
        now() - (1000000 - n) * interval '1 s'
      from generate_series(${from}::int, ${to}::int) as n join owners on owners.number = n % ${ACCOUNTS}::int
      returning id, account_id),
    disks as (
      insert into volumes (name, account_id, instance_id, volume_type, template_id)
      select 'ROOT-' || made.id, made.account_id, made.id, 'ROOT', (select id from vm_template where name = 'template-1') from made)
    insert into nics (instance_id, network_id, mac_address, device_id)
    select made.id, (select id from networks limit 1),
      regexp_replace('02' || substr(md5(made.id::text), 1, 10), '(..)(?!$)', '\\1:', 'g'), 0 from made`);
  // As autovacuum would have it by the time that there are so many.
  await db.execute(sql`vacuum analyze`);
}
