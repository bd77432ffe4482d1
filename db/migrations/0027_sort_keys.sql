-- Has every table to itself until the transaction ends: what a migration changes of one it would else wait for while it has
-- others, and whoever waits for those, with this one in hand, would be ended by the database: a deployment, or the migration.
-- It gives up and tries again well within the second after which that happens; where too much goes on for ten seconds it waits
-- as long as it has to.
CREATE FUNCTION "lock_all_tables"() RETURNS void LANGUAGE plpgsql AS $lock$
DECLARE
  -- But what others may have put there.
  every_table text := (SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') FROM pg_tables
    WHERE schemaname = 'public' AND pg_has_role(tableowner, 'USAGE'));
  usual_timeout text := current_setting('lock_timeout');
BEGIN
  PERFORM set_config('lock_timeout', '100ms', true);
  FOR attempt IN 1..60 LOOP
    BEGIN
      EXECUTE 'LOCK TABLE ' || every_table;
      PERFORM set_config('lock_timeout', usual_timeout, true);
      RETURN;
    EXCEPTION WHEN lock_not_available THEN
      PERFORM pg_sleep(random() * 0.1);
    END;
  END LOOP;
  PERFORM set_config('lock_timeout', usual_timeout, true);
  EXECUTE 'LOCK TABLE ' || every_table;
END $lock$;
--> statement-breakpoint
SELECT "lock_all_tables"();
--> statement-breakpoint
DROP INDEX "vm_template_created_id_idx";--> statement-breakpoint
ALTER TABLE "data_center" ADD COLUMN "sort_key" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "disk_offering" ADD COLUMN "sort_key" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "service_offering" ADD COLUMN "sort_key" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "vm_template" ADD COLUMN "sort_key" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "vm_template_sort_key_created_id_idx" ON "vm_template" USING btree ("sort_key","created","id");