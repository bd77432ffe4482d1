CREATE TABLE "reconciliation_finding" (
	"kind" text NOT NULL,
	"place_id" uuid NOT NULL,
	"name" text NOT NULL,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "reconciliation_finding_pkey" PRIMARY KEY("place_id","kind","name"),
	CONSTRAINT "reconciliation_finding_kind_check" CHECK ("reconciliation_finding"."kind" in ('unknownFile', 'orphanInUse', 'lostTemplate', 'lostVolume', 'unknownVm'))
);
--> statement-breakpoint
ALTER TABLE "event" ADD COLUMN "archived" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "host" ADD COLUMN "reconciled" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "host" ADD COLUMN "reconciled_boot_id" text;--> statement-breakpoint
ALTER TABLE "storage_pool" ADD COLUMN "reconciled" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "template_spool_ref" ADD COLUMN "is_wanted" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "template_spool_ref" ADD COLUMN "is_queued" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "async_job_instance_id_idx" ON "async_job" USING btree ("instance_id");--> statement-breakpoint
CREATE INDEX "async_job_completed_idx" ON "async_job" USING btree ("completed");--> statement-breakpoint
CREATE INDEX "nics_instance_id_idx" ON "nics" USING btree ("instance_id");--> statement-breakpoint
CREATE INDEX "template_store_ref_template_id_idx" ON "template_store_ref" USING btree ("template_id");--> statement-breakpoint
CREATE INDEX "vm_instance_removed_idx" ON "vm_instance" USING btree ("removed") WHERE removed is not null;