DROP INDEX "async_job_account_id_idx";--> statement-breakpoint
CREATE INDEX "account_account_name_id_idx" ON "account" USING btree ("account_name","id") WHERE removed is null;--> statement-breakpoint
CREATE INDEX "async_job_account_id_created_id_idx" ON "async_job" USING btree ("account_id","created","id");--> statement-breakpoint
CREATE INDEX "async_job_created_id_idx" ON "async_job" USING btree ("created","id");--> statement-breakpoint
CREATE INDEX "event_account_id_created_id_idx" ON "event" USING btree ("account_id","created","id") WHERE not archived;--> statement-breakpoint
CREATE INDEX "event_created_id_idx" ON "event" USING btree ("created","id") WHERE not archived;--> statement-breakpoint
CREATE INDEX "ssh_keypairs_keypair_name_id_idx" ON "ssh_keypairs" USING btree ("keypair_name","id");--> statement-breakpoint
CREATE INDEX "user_username_id_idx" ON "user" USING btree ("username","id") WHERE removed is null;--> statement-breakpoint
CREATE INDEX "vm_instance_usage_idx" ON "vm_instance" USING btree ("account_id","state","service_offering_id","id") WHERE state <> 'Expunged';--> statement-breakpoint
CREATE INDEX "vm_template_usage_idx" ON "vm_template" USING btree ("account_id") WHERE removed is null;--> statement-breakpoint
CREATE INDEX "volumes_usage_idx" ON "volumes" USING btree ("account_id","instance_id","size_bytes","wanted_size_bytes","template_id") WHERE state <> 'Expunged';