DROP INDEX "vm_template_created_id_idx";--> statement-breakpoint
ALTER TABLE "data_center" ADD COLUMN "sort_key" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "disk_offering" ADD COLUMN "sort_key" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "service_offering" ADD COLUMN "sort_key" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "vm_template" ADD COLUMN "sort_key" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "vm_template_sort_key_created_id_idx" ON "vm_template" USING btree ("sort_key","created","id");