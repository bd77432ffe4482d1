CREATE TABLE "api_count" (
	"account_id" uuid PRIMARY KEY NOT NULL,
	"interval" bigint NOT NULL,
	"taken" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "resource_tags" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"key" text NOT NULL,
	"value" text NOT NULL,
	"customer" text,
	"account_id" uuid NOT NULL,
	"instance_id" uuid,
	"template_id" uuid,
	"volume_id" uuid,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "resource_tags_instance_id_key_key" UNIQUE("instance_id","key"),
	CONSTRAINT "resource_tags_template_id_key_key" UNIQUE("template_id","key"),
	CONSTRAINT "resource_tags_volume_id_key_key" UNIQUE("volume_id","key"),
	CONSTRAINT "resource_tags_of_one" CHECK (num_nonnulls("resource_tags"."instance_id", "resource_tags"."template_id", "resource_tags"."volume_id") = 1)
);
--> statement-breakpoint
DROP INDEX "login_attempt_since_idx";--> statement-breakpoint
ALTER TABLE "host" ADD COLUMN "private_ip_address" text;--> statement-breakpoint
ALTER TABLE "login_attempt" ADD COLUMN "succeeded" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "vm_instance" ADD COLUMN "key_resets" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "api_count" ADD CONSTRAINT "api_count_account_id_account_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."account"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "resource_tags" ADD CONSTRAINT "resource_tags_account_id_account_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."account"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "resource_tags" ADD CONSTRAINT "resource_tags_instance_id_vm_instance_id_fk" FOREIGN KEY ("instance_id") REFERENCES "public"."vm_instance"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "resource_tags" ADD CONSTRAINT "resource_tags_template_id_vm_template_id_fk" FOREIGN KEY ("template_id") REFERENCES "public"."vm_template"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "resource_tags" ADD CONSTRAINT "resource_tags_volume_id_volumes_id_fk" FOREIGN KEY ("volume_id") REFERENCES "public"."volumes"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "resource_tags_key_value_idx" ON "resource_tags" USING btree ("key","value");--> statement-breakpoint
CREATE INDEX "resource_tags_account_id_created_id_idx" ON "resource_tags" USING btree ("account_id","created","id");--> statement-breakpoint
CREATE INDEX "resource_tags_created_id_idx" ON "resource_tags" USING btree ("created","id");--> statement-breakpoint
CREATE INDEX "login_attempt_succeeded_idx" ON "login_attempt" USING btree ("succeeded") WHERE succeeded is not null;--> statement-breakpoint
CREATE INDEX "login_attempt_since_idx" ON "login_attempt" USING btree ("since") WHERE succeeded is null;