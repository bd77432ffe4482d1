-- Which transaction changed a row last, for whoever follows changes (db/reads/read-changes.ts). A transaction that commits
-- late has a number that is still looked for: no time has to be allowed for, and nothing is missed. Not in db/schema: no
-- other query is to carry it along.
CREATE FUNCTION "mark_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.changed := pg_current_xact_id();
  RETURN NEW;
END $$;
--> statement-breakpoint
ALTER TABLE "vm_instance" ADD COLUMN "changed" xid8 DEFAULT pg_current_xact_id() NOT NULL;
--> statement-breakpoint
ALTER TABLE "vm_template" ADD COLUMN "changed" xid8 DEFAULT pg_current_xact_id() NOT NULL;
--> statement-breakpoint
ALTER TABLE "template_spool_ref" ADD COLUMN "changed" xid8 DEFAULT pg_current_xact_id() NOT NULL;
--> statement-breakpoint
ALTER TABLE "async_job" ADD COLUMN "changed" xid8 DEFAULT pg_current_xact_id() NOT NULL;
--> statement-breakpoint
ALTER TABLE "host" ADD COLUMN "changed" xid8 DEFAULT pg_current_xact_id() NOT NULL;
--> statement-breakpoint
CREATE INDEX "vm_instance_changed_idx" ON "vm_instance" ("changed");
--> statement-breakpoint
CREATE INDEX "vm_template_changed_idx" ON "vm_template" ("changed");
--> statement-breakpoint
CREATE INDEX "template_spool_ref_changed_idx" ON "template_spool_ref" ("changed");
--> statement-breakpoint
CREATE INDEX "async_job_changed_idx" ON "async_job" ("changed");
--> statement-breakpoint
CREATE INDEX "host_changed_idx" ON "host" ("changed");
--> statement-breakpoint
CREATE TRIGGER "vm_instance_mark_change" BEFORE UPDATE ON "vm_instance" FOR EACH ROW EXECUTE FUNCTION "mark_change"();
--> statement-breakpoint
CREATE TRIGGER "vm_template_mark_change" BEFORE UPDATE ON "vm_template" FOR EACH ROW EXECUTE FUNCTION "mark_change"();
--> statement-breakpoint
CREATE TRIGGER "template_spool_ref_mark_change" BEFORE UPDATE ON "template_spool_ref" FOR EACH ROW EXECUTE FUNCTION "mark_change"();
--> statement-breakpoint
CREATE TRIGGER "async_job_mark_change" BEFORE UPDATE ON "async_job" FOR EACH ROW EXECUTE FUNCTION "mark_change"();
--> statement-breakpoint
-- A host is heard of all the time; that alone is no news.
CREATE TRIGGER "host_mark_change" BEFORE UPDATE ON "host" FOR EACH ROW
  WHEN ((OLD.status, OLD.resource_state, OLD.name, OLD.tags, OLD.removed, OLD.cpu_used_mhz, OLD.ram_used_bytes, OLD.cpus, OLD.ram_bytes)
    IS DISTINCT FROM
    (NEW.status, NEW.resource_state, NEW.name, NEW.tags, NEW.removed, NEW.cpu_used_mhz, NEW.ram_used_bytes, NEW.cpus, NEW.ram_bytes))
  EXECUTE FUNCTION "mark_change"();
