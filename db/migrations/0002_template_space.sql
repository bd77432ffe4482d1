CREATE SEQUENCE "public"."template_spool_ref_epoch_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
ALTER TABLE "storage_pool" ADD COLUMN "template_bytes" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "template_spool_ref" ADD COLUMN "previous_epoch" integer;--> statement-breakpoint
ALTER TABLE "template_spool_ref" ADD COLUMN "reserved_bytes" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "storage_pool" ADD CONSTRAINT "storage_pool_template_bytes_not_negative" CHECK ("storage_pool"."template_bytes" >= 0);--> statement-breakpoint
ALTER TABLE "template_spool_ref" ADD CONSTRAINT "template_spool_ref_reserved_bytes_not_negative" CHECK ("template_spool_ref"."reserved_bytes" >= 0);--> statement-breakpoint
UPDATE "template_spool_ref" SET "reserved_bytes" = coalesce("physical_size_bytes", 0);--> statement-breakpoint
UPDATE "storage_pool" SET "template_bytes" = (SELECT coalesce(sum("reserved_bytes"), 0) FROM "template_spool_ref" WHERE "pool_id" = "storage_pool"."id");--> statement-breakpoint
-- Far above every epoch that a row which is gone may have had.
SELECT setval('template_spool_ref_epoch_seq', max("epoch") + 1000) FROM "template_spool_ref" HAVING count(*) > 0;
