CREATE TABLE "storage_pool_work" (
	"pool_id" uuid NOT NULL,
	"vm_id" uuid NOT NULL,
	"start_job_id" uuid,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "storage_pool_work_pkey" PRIMARY KEY("pool_id","vm_id")
);
--> statement-breakpoint
ALTER TABLE "cluster" ADD COLUMN "arch" text DEFAULT 'x86_64' NOT NULL;--> statement-breakpoint
ALTER TABLE "cluster" ADD COLUMN "present_id" uuid GENERATED ALWAYS AS (case when removed is null then id end) STORED;--> statement-breakpoint
ALTER TABLE "cluster" ADD COLUMN "present_pod_id" uuid GENERATED ALWAYS AS (case when removed is null then pod_id end) STORED;--> statement-breakpoint
ALTER TABLE "data_center" ADD COLUMN "dns1" text;--> statement-breakpoint
ALTER TABLE "data_center" ADD COLUMN "dns2" text;--> statement-breakpoint
ALTER TABLE "data_center" ADD COLUMN "ip6_dns1" text;--> statement-breakpoint
ALTER TABLE "data_center" ADD COLUMN "ip6_dns2" text;--> statement-breakpoint
ALTER TABLE "data_center" ADD COLUMN "internal_dns1" text;--> statement-breakpoint
ALTER TABLE "data_center" ADD COLUMN "internal_dns2" text;--> statement-breakpoint
ALTER TABLE "data_center" ADD COLUMN "guest_network_cidr" text;--> statement-breakpoint
ALTER TABLE "data_center" ADD COLUMN "domain" text;--> statement-breakpoint
ALTER TABLE "data_center" ADD COLUMN "present_id" uuid GENERATED ALWAYS AS (case when removed is null then id end) STORED;--> statement-breakpoint
ALTER TABLE "host_pod_ref" ADD COLUMN "allocation_state" text DEFAULT 'Enabled' NOT NULL;--> statement-breakpoint
ALTER TABLE "host_pod_ref" ADD COLUMN "gateway" text;--> statement-breakpoint
ALTER TABLE "host_pod_ref" ADD COLUMN "netmask" text;--> statement-breakpoint
ALTER TABLE "host_pod_ref" ADD COLUMN "start_ip" text;--> statement-breakpoint
ALTER TABLE "host_pod_ref" ADD COLUMN "end_ip" text;--> statement-breakpoint
ALTER TABLE "host_pod_ref" ADD COLUMN "present_id" uuid GENERATED ALWAYS AS (case when removed is null then id end) STORED;--> statement-breakpoint
ALTER TABLE "host_pod_ref" ADD COLUMN "present_zone_id" uuid GENERATED ALWAYS AS (case when removed is null then data_center_id end) STORED;--> statement-breakpoint
ALTER TABLE "host" ADD COLUMN "present_cluster_id" uuid GENERATED ALWAYS AS (case when removed is null then cluster_id end) STORED;--> statement-breakpoint
ALTER TABLE "storage_pool" ADD COLUMN "host_address" text;--> statement-breakpoint
ALTER TABLE "storage_pool" ADD COLUMN "path" text;--> statement-breakpoint
ALTER TABLE "storage_pool" ADD COLUMN "present_zone_id" uuid GENERATED ALWAYS AS (case when removed is null then data_center_id end) STORED;--> statement-breakpoint
ALTER TABLE "storage_pool" ADD COLUMN "present_cluster_id" uuid GENERATED ALWAYS AS (case when removed is null then cluster_id end) STORED;--> statement-breakpoint
ALTER TABLE "storage_pool_work" ADD CONSTRAINT "storage_pool_work_pool_id_storage_pool_id_fk" FOREIGN KEY ("pool_id") REFERENCES "public"."storage_pool"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "storage_pool_work" ADD CONSTRAINT "storage_pool_work_vm_id_vm_instance_id_fk" FOREIGN KEY ("vm_id") REFERENCES "public"."vm_instance"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "storage_pool_work_vm_id_idx" ON "storage_pool_work" USING btree ("vm_id");--> statement-breakpoint
ALTER TABLE "cluster" ADD CONSTRAINT "cluster_present_id_key" UNIQUE("present_id");--> statement-breakpoint
ALTER TABLE "cluster" ADD CONSTRAINT "cluster_id_pod_id_data_center_id_key" UNIQUE("id","pod_id","data_center_id");--> statement-breakpoint
ALTER TABLE "data_center" ADD CONSTRAINT "data_center_present_id_key" UNIQUE("present_id");--> statement-breakpoint
ALTER TABLE "host_pod_ref" ADD CONSTRAINT "host_pod_ref_present_id_key" UNIQUE("present_id");--> statement-breakpoint
ALTER TABLE "host_pod_ref" ADD CONSTRAINT "host_pod_ref_id_data_center_id_key" UNIQUE("id","data_center_id");--> statement-breakpoint
ALTER TABLE "cluster" ADD CONSTRAINT "cluster_present_pod_id_host_pod_ref_present_id_fk" FOREIGN KEY ("present_pod_id") REFERENCES "public"."host_pod_ref"("present_id") ON DELETE restrict ON UPDATE restrict;--> statement-breakpoint
ALTER TABLE "cluster" ADD CONSTRAINT "cluster_pod_id_data_center_id_fk" FOREIGN KEY ("pod_id","data_center_id") REFERENCES "public"."host_pod_ref"("id","data_center_id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "host_pod_ref" ADD CONSTRAINT "host_pod_ref_present_zone_id_data_center_present_id_fk" FOREIGN KEY ("present_zone_id") REFERENCES "public"."data_center"("present_id") ON DELETE restrict ON UPDATE restrict;--> statement-breakpoint
ALTER TABLE "host" ADD CONSTRAINT "host_present_cluster_id_cluster_present_id_fk" FOREIGN KEY ("present_cluster_id") REFERENCES "public"."cluster"("present_id") ON DELETE restrict ON UPDATE restrict;--> statement-breakpoint
ALTER TABLE "host" ADD CONSTRAINT "host_cluster_id_pod_id_data_center_id_fk" FOREIGN KEY ("cluster_id","pod_id","data_center_id") REFERENCES "public"."cluster"("id","pod_id","data_center_id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "storage_pool" ADD CONSTRAINT "storage_pool_present_zone_id_data_center_present_id_fk" FOREIGN KEY ("present_zone_id") REFERENCES "public"."data_center"("present_id") ON DELETE restrict ON UPDATE restrict;--> statement-breakpoint
ALTER TABLE "storage_pool" ADD CONSTRAINT "storage_pool_present_cluster_id_cluster_present_id_fk" FOREIGN KEY ("present_cluster_id") REFERENCES "public"."cluster"("present_id") ON DELETE restrict ON UPDATE restrict;--> statement-breakpoint
ALTER TABLE "storage_pool" ADD CONSTRAINT "storage_pool_cluster_id_pod_id_data_center_id_fk" FOREIGN KEY ("cluster_id","pod_id","data_center_id") REFERENCES "public"."cluster"("id","pod_id","data_center_id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "cluster_pod_id_name_key" ON "cluster" USING btree ("pod_id","name") WHERE removed is null;--> statement-breakpoint
CREATE UNIQUE INDEX "host_pod_ref_data_center_id_name_key" ON "host_pod_ref" USING btree ("data_center_id","name") WHERE removed is null;--> statement-breakpoint
CREATE UNIQUE INDEX "storage_pool_export_key" ON "storage_pool" USING btree ("data_center_id","host_address","path") WHERE pool_type = 'NetworkFilesystem' and removed is null;--> statement-breakpoint
CREATE UNIQUE INDEX "storage_pool_cluster_id_path_key" ON "storage_pool" USING btree ("cluster_id","path") WHERE pool_type = 'SharedMountPoint' and removed is null;--> statement-breakpoint
ALTER TABLE "cluster" ADD CONSTRAINT "cluster_arch_check" CHECK ("cluster"."arch" in ('x86_64', 'aarch64'));--> statement-breakpoint
ALTER TABLE "cluster" ADD CONSTRAINT "cluster_allocation_state_check" CHECK ("cluster"."allocation_state" in ('Enabled', 'Disabled'));--> statement-breakpoint
ALTER TABLE "data_center" ADD CONSTRAINT "data_center_allocation_state_check" CHECK ("data_center"."allocation_state" in ('Enabled', 'Disabled'));--> statement-breakpoint
ALTER TABLE "host_pod_ref" ADD CONSTRAINT "host_pod_ref_allocation_state_check" CHECK ("host_pod_ref"."allocation_state" in ('Enabled', 'Disabled'));--> statement-breakpoint
ALTER TABLE "storage_pool" ADD CONSTRAINT "storage_pool_status_check" CHECK ("storage_pool"."status" in ('Up', 'Disabled', 'PrepareForMaintenance', 'ErrorInMaintenance', 'Maintenance', 'Removed'));--> statement-breakpoint
ALTER TABLE "storage_pool" ADD CONSTRAINT "storage_pool_scope_check" CHECK ("storage_pool"."scope" = 'HOST'
        or ("storage_pool"."scope" = 'CLUSTER' and "storage_pool"."cluster_id" is not null and "storage_pool"."pod_id" is not null)
        or ("storage_pool"."scope" = 'ZONE' and "storage_pool"."cluster_id" is null and "storage_pool"."pod_id" is null));