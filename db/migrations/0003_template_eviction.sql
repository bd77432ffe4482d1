ALTER TABLE "volumes" DROP CONSTRAINT "volumes_template_spool_ref_id_template_spool_ref_id_fk";--> statement-breakpoint
DROP INDEX "template_spool_ref_pool_id_template_id_key";--> statement-breakpoint
ALTER TABLE "template_spool_ref" ADD COLUMN "usable_id" uuid GENERATED ALWAYS AS (case when state in ('Ready', 'Superseded') then id end) STORED;--> statement-breakpoint
ALTER TABLE "template_spool_ref" ADD COLUMN "unused_since" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "template_spool_ref" ADD COLUMN "eviction_refused" timestamp with time zone;--> statement-breakpoint
CREATE UNIQUE INDEX "template_spool_ref_pool_id_template_id_key" ON "template_spool_ref" USING btree ("pool_id","template_id") WHERE state not in ('Superseded', 'Evicting');--> statement-breakpoint
ALTER TABLE "template_spool_ref" ADD CONSTRAINT "template_spool_ref_usable_id_key" UNIQUE("usable_id");--> statement-breakpoint
ALTER TABLE "volumes" ADD CONSTRAINT "volumes_template_spool_ref_id_template_spool_ref_usable_id_fk" FOREIGN KEY ("template_spool_ref_id") REFERENCES "public"."template_spool_ref"("usable_id") ON DELETE restrict ON UPDATE restrict;
