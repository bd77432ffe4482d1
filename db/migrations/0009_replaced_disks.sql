ALTER TABLE "volumes" ADD COLUMN "host_id" uuid;--> statement-breakpoint
ALTER TABLE "volumes" ADD COLUMN "replaced_by_id" uuid;--> statement-breakpoint
ALTER TABLE "volumes" ADD COLUMN "reserved_bytes" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "volumes" ADD CONSTRAINT "volumes_host_id_host_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."host"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "volumes_host_id_idx" ON "volumes" USING btree ("host_id");--> statement-breakpoint
CREATE INDEX "volumes_to_remove_idx" ON "volumes" USING btree ("id") WHERE removed is not null and state <> 'Expunged';--> statement-breakpoint
ALTER TABLE "volumes" ADD CONSTRAINT "volumes_reserved_bytes_not_negative" CHECK ("volumes"."reserved_bytes" >= 0);