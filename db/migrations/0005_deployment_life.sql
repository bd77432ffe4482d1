CREATE TABLE "disk_offering" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	"display_text" text NOT NULL,
	"size_bytes" bigint,
	"is_customized" boolean DEFAULT false NOT NULL,
	"storage_tags" text[] DEFAULT '{}'::text[] NOT NULL,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	"removed" timestamp with time zone,
	CONSTRAINT "disk_offering_size" CHECK (("disk_offering"."size_bytes" is null) = "disk_offering"."is_customized" and coalesce("disk_offering"."size_bytes", 1) > 0)
);
--> statement-breakpoint
CREATE TABLE "networks" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	"display_text" text NOT NULL,
	"guest_type" text NOT NULL,
	"data_center_id" uuid NOT NULL,
	"account_id" uuid,
	"vlan" integer,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	"removed" timestamp with time zone,
	CONSTRAINT "networks_guest_type_check" CHECK ("networks"."guest_type" in ('L2', 'User')),
	CONSTRAINT "networks_vlan_check" CHECK ("networks"."vlan" is null or ("networks"."vlan" between 1 and 4094 and "networks"."guest_type" = 'L2'))
);
--> statement-breakpoint
CREATE TABLE "nics" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"instance_id" uuid NOT NULL,
	"network_id" uuid NOT NULL,
	"mac_address" text NOT NULL,
	"device_id" integer NOT NULL,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	"removed" timestamp with time zone,
	CONSTRAINT "nics_mac_address_check" CHECK ("nics"."mac_address" ~ '^([0-9a-f]{2}:){5}[0-9a-f]{2}$')
);
--> statement-breakpoint
CREATE TABLE "ssh_keypairs" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"account_id" uuid NOT NULL,
	"keypair_name" text NOT NULL,
	"fingerprint" text NOT NULL,
	"public_key" text NOT NULL,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "ssh_keypairs_account_id_keypair_name_key" UNIQUE("account_id","keypair_name")
);
--> statement-breakpoint
ALTER TABLE "event" ADD COLUMN "user_id" uuid;--> statement-breakpoint
ALTER TABLE "event" ADD COLUMN "job_id" uuid;--> statement-breakpoint
ALTER TABLE "host" ADD COLUMN "tags" text[] DEFAULT '{}'::text[] NOT NULL;--> statement-breakpoint
ALTER TABLE "service_offering" ADD COLUMN "host_tags" text[] DEFAULT '{}'::text[] NOT NULL;--> statement-breakpoint
ALTER TABLE "service_offering" ADD COLUMN "storage_tags" text[] DEFAULT '{}'::text[] NOT NULL;--> statement-breakpoint
ALTER TABLE "storage_pool" ADD COLUMN "tags" text[] DEFAULT '{}'::text[] NOT NULL;--> statement-breakpoint
ALTER TABLE "storage_pool_host_ref" ADD COLUMN "problem" text;--> statement-breakpoint
ALTER TABLE "vm_instance" ADD COLUMN "iso_id" uuid;--> statement-breakpoint
ALTER TABLE "vm_instance" ADD COLUMN "iso_spool_ref_id" uuid;--> statement-breakpoint
ALTER TABLE "vm_instance" ADD COLUMN "user_data_encrypted" text;--> statement-breakpoint
ALTER TABLE "vm_instance" ADD COLUMN "ssh_public_keys" text[] DEFAULT '{}'::text[] NOT NULL;--> statement-breakpoint
ALTER TABLE "vm_instance" ADD COLUMN "key_pair_names" text[] DEFAULT '{}'::text[] NOT NULL;--> statement-breakpoint
ALTER TABLE "vm_instance" ADD COLUMN "vnc_password_encrypted" text;--> statement-breakpoint
ALTER TABLE "vm_instance" ADD COLUMN "ended" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "volumes" ADD COLUMN "disk_offering_id" uuid;--> statement-breakpoint
ALTER TABLE "volumes" ADD COLUMN "wanted_size_bytes" bigint;--> statement-breakpoint
ALTER TABLE "networks" ADD CONSTRAINT "networks_data_center_id_data_center_id_fk" FOREIGN KEY ("data_center_id") REFERENCES "public"."data_center"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "networks" ADD CONSTRAINT "networks_account_id_account_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."account"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "nics" ADD CONSTRAINT "nics_instance_id_vm_instance_id_fk" FOREIGN KEY ("instance_id") REFERENCES "public"."vm_instance"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "nics" ADD CONSTRAINT "nics_network_id_networks_id_fk" FOREIGN KEY ("network_id") REFERENCES "public"."networks"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ssh_keypairs" ADD CONSTRAINT "ssh_keypairs_account_id_account_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."account"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "disk_offering_name_key" ON "disk_offering" USING btree ("name") WHERE removed is null;--> statement-breakpoint
CREATE INDEX "networks_data_center_id_idx" ON "networks" USING btree ("data_center_id");--> statement-breakpoint
CREATE INDEX "networks_account_id_idx" ON "networks" USING btree ("account_id");--> statement-breakpoint
CREATE UNIQUE INDEX "networks_user_of_data_center_key" ON "networks" USING btree ("data_center_id") WHERE guest_type = 'User' and removed is null;--> statement-breakpoint
CREATE INDEX "nics_network_id_idx" ON "nics" USING btree ("network_id");--> statement-breakpoint
CREATE UNIQUE INDEX "nics_mac_address_key" ON "nics" USING btree ("mac_address") WHERE removed is null;--> statement-breakpoint
CREATE UNIQUE INDEX "nics_instance_id_device_id_key" ON "nics" USING btree ("instance_id","device_id") WHERE removed is null;--> statement-breakpoint
ALTER TABLE "event" ADD CONSTRAINT "event_user_id_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."user"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vm_instance" ADD CONSTRAINT "vm_instance_iso_id_vm_template_id_fk" FOREIGN KEY ("iso_id") REFERENCES "public"."vm_template"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vm_instance" ADD CONSTRAINT "vm_instance_iso_spool_ref_id_template_spool_ref_usable_id_fk" FOREIGN KEY ("iso_spool_ref_id") REFERENCES "public"."template_spool_ref"("usable_id") ON DELETE restrict ON UPDATE restrict;--> statement-breakpoint
ALTER TABLE "volumes" ADD CONSTRAINT "volumes_disk_offering_id_disk_offering_id_fk" FOREIGN KEY ("disk_offering_id") REFERENCES "public"."disk_offering"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "event_user_id_idx" ON "event" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "event_resource_id_idx" ON "event" USING btree ("resource_id");--> statement-breakpoint
CREATE INDEX "vm_instance_iso_id_idx" ON "vm_instance" USING btree ("iso_id");--> statement-breakpoint
CREATE INDEX "vm_instance_iso_spool_ref_id_idx" ON "vm_instance" USING btree ("iso_spool_ref_id");--> statement-breakpoint
CREATE INDEX "volumes_disk_offering_id_idx" ON "volumes" USING btree ("disk_offering_id");--> statement-breakpoint
ALTER TABLE "host" ADD CONSTRAINT "host_resource_state_check" CHECK ("host"."resource_state" in ('Enabled', 'Disabled', 'PrepareForMaintenance', 'ErrorInMaintenance', 'Maintenance', 'Degraded'));--> statement-breakpoint
UPDATE "vm_instance" SET "ended" = now() WHERE "state" in ('Destroyed', 'Error');--> statement-breakpoint
ALTER TABLE "vm_instance" ADD CONSTRAINT "vm_instance_ended_has_time" CHECK ("vm_instance"."state" not in ('Destroyed', 'Error') or "vm_instance"."ended" is not null);--> statement-breakpoint
ALTER TABLE "vm_instance" ADD CONSTRAINT "vm_instance_copy_is_of_iso" CHECK ("vm_instance"."iso_spool_ref_id" is null or "vm_instance"."iso_id" is not null);