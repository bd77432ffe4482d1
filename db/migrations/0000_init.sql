CREATE TABLE "account" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"account_name" text NOT NULL,
	"type" text NOT NULL,
	"domain_id" uuid NOT NULL,
	"state" text DEFAULT 'enabled' NOT NULL,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	"removed" timestamp with time zone,
	CONSTRAINT "account_account_name_domain_id_key" UNIQUE("account_name","domain_id")
);
--> statement-breakpoint
CREATE TABLE "async_job" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"account_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"job_cmd" text NOT NULL,
	"workflow_type" text NOT NULL,
	"workflow_id" text NOT NULL,
	"workflow_input" jsonb NOT NULL,
	"run_id" text,
	"job_status" smallint DEFAULT 0 NOT NULL,
	"job_result_code" integer DEFAULT 0 NOT NULL,
	"job_result" jsonb,
	"instance_type" text NOT NULL,
	"instance_id" uuid,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	"completed" timestamp with time zone,
	CONSTRAINT "async_job_status_check" CHECK ("async_job"."job_status" between 0 and 3),
	CONSTRAINT "async_job_completed_has_time" CHECK (("async_job"."job_status" = 0) = ("async_job"."completed" is null))
);
--> statement-breakpoint
CREATE TABLE "capacity_claim" (
	"vm_id" uuid NOT NULL,
	"token" bigint NOT NULL,
	"host_id" uuid NOT NULL,
	"pool_id" uuid NOT NULL,
	"cpu_mhz" integer NOT NULL,
	"ram_bytes" bigint NOT NULL,
	"disk_bytes" bigint NOT NULL,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "capacity_claim_pkey" PRIMARY KEY("vm_id","token"),
	CONSTRAINT "capacity_claim_not_negative" CHECK ("capacity_claim"."cpu_mhz" >= 0 and "capacity_claim"."ram_bytes" >= 0 and "capacity_claim"."disk_bytes" >= 0)
);
--> statement-breakpoint
CREATE TABLE "cleanup_debt" (
	"vm_id" uuid NOT NULL,
	"token" bigint NOT NULL,
	"host_id" uuid NOT NULL,
	"reason" text NOT NULL,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "cleanup_debt_pkey" PRIMARY KEY("vm_id","token")
);
--> statement-breakpoint
CREATE TABLE "cluster" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	"data_center_id" uuid NOT NULL,
	"pod_id" uuid NOT NULL,
	"hypervisor_type" text DEFAULT 'KVM' NOT NULL,
	"allocation_state" text DEFAULT 'Enabled' NOT NULL,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	"removed" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "configuration" (
	"name" text PRIMARY KEY NOT NULL,
	"value" text NOT NULL,
	"updated" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "data_center" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	"networktype" text DEFAULT 'Advanced' NOT NULL,
	"allocation_state" text DEFAULT 'Enabled' NOT NULL,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	"removed" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "domain" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	"path" text NOT NULL,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	"removed" timestamp with time zone,
	CONSTRAINT "domain_path_key" UNIQUE("path")
);
--> statement-breakpoint
CREATE TABLE "event" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"type" text NOT NULL,
	"level" text NOT NULL,
	"description" text NOT NULL,
	"account_id" uuid,
	"resource_type" text,
	"resource_id" uuid,
	"workflow_id" text,
	"created" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "guest_os" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"display_name" text NOT NULL,
	"category" text NOT NULL,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "guest_os_display_name_key" UNIQUE("display_name")
);
--> statement-breakpoint
CREATE TABLE "host_pod_ref" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	"data_center_id" uuid NOT NULL,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	"removed" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "host" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	"data_center_id" uuid NOT NULL,
	"pod_id" uuid NOT NULL,
	"cluster_id" uuid NOT NULL,
	"type" text DEFAULT 'Routing' NOT NULL,
	"hypervisor_type" text DEFAULT 'KVM' NOT NULL,
	"status" text DEFAULT 'Connecting' NOT NULL,
	"resource_state" text DEFAULT 'Enabled' NOT NULL,
	"arch" text DEFAULT 'x86_64' NOT NULL,
	"cpus" integer DEFAULT 0 NOT NULL,
	"speed_mhz" integer DEFAULT 0 NOT NULL,
	"ram_bytes" bigint DEFAULT 0 NOT NULL,
	"cpu_used_mhz" integer DEFAULT 0 NOT NULL,
	"ram_used_bytes" bigint DEFAULT 0 NOT NULL,
	"public_key" text NOT NULL,
	"boot_id" text,
	"domain_type" text,
	"hypervisor_version" text,
	"last_pinged" timestamp with time zone,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	"removed" timestamp with time zone,
	CONSTRAINT "host_status_check" CHECK ("host"."status" in ('Connecting', 'Up', 'Down', 'Alert', 'Removed')),
	CONSTRAINT "host_cpu_used_mhz_not_negative" CHECK ("host"."cpu_used_mhz" >= 0),
	CONSTRAINT "host_ram_used_bytes_not_negative" CHECK ("host"."ram_used_bytes" >= 0)
);
--> statement-breakpoint
CREATE TABLE "service_offering" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	"display_text" text NOT NULL,
	"cpu" integer NOT NULL,
	"speed_mhz" integer NOT NULL,
	"ram_mb" integer NOT NULL,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	"removed" timestamp with time zone,
	CONSTRAINT "service_offering_positive" CHECK ("service_offering"."cpu" > 0 and "service_offering"."speed_mhz" > 0 and "service_offering"."ram_mb" > 0)
);
--> statement-breakpoint
CREATE TABLE "stage_waiter" (
	"workflow_id" text PRIMARY KEY NOT NULL,
	"spool_ref_id" uuid,
	"state" text DEFAULT 'Waiting' NOT NULL,
	"failure" jsonb,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "stage_waiter_failed_has_reason" CHECK (("stage_waiter"."state" = 'Failed') = ("stage_waiter"."failure" is not null))
);
--> statement-breakpoint
CREATE TABLE "storage_pool" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	"data_center_id" uuid NOT NULL,
	"pod_id" uuid,
	"cluster_id" uuid,
	"pool_type" text NOT NULL,
	"scope" text NOT NULL,
	"status" text DEFAULT 'Up' NOT NULL,
	"capacity_bytes" bigint DEFAULT 0 NOT NULL,
	"used_bytes" bigint DEFAULT 0 NOT NULL,
	"allocated_bytes" bigint DEFAULT 0 NOT NULL,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	"removed" timestamp with time zone,
	CONSTRAINT "storage_pool_allocated_bytes_not_negative" CHECK ("storage_pool"."allocated_bytes" >= 0)
);
--> statement-breakpoint
CREATE TABLE "storage_pool_host_ref" (
	"pool_id" uuid NOT NULL,
	"host_id" uuid NOT NULL,
	"local_path" text NOT NULL,
	CONSTRAINT "storage_pool_host_ref_pkey" PRIMARY KEY("pool_id","host_id")
);
--> statement-breakpoint
CREATE TABLE "template_spool_ref" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"pool_id" uuid NOT NULL,
	"template_id" uuid NOT NULL,
	"generation" integer NOT NULL,
	"epoch" integer DEFAULT 0 NOT NULL,
	"state" text DEFAULT 'Allocated' NOT NULL,
	"download_state" text DEFAULT 'NOT_DOWNLOADED' NOT NULL,
	"host_id" uuid,
	"download_pct" integer DEFAULT 0 NOT NULL,
	"downloaded_bytes" bigint DEFAULT 0 NOT NULL,
	"bytes_per_second" bigint DEFAULT 0 NOT NULL,
	"download_source" text,
	"install_path" text,
	"size_bytes" bigint,
	"physical_size_bytes" bigint,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	"last_updated" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "template_spool_ref_state_check" CHECK ("template_spool_ref"."state" in ('Allocated', 'Downloading', 'Ready', 'Evicting', 'Superseded')),
	CONSTRAINT "template_spool_ref_ready_is_installed" CHECK ("template_spool_ref"."state" <> 'Ready' or "template_spool_ref"."install_path" is not null)
);
--> statement-breakpoint
CREATE TABLE "template_store_ref" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"template_id" uuid NOT NULL,
	"data_center_id" uuid NOT NULL,
	"store_id" uuid,
	"store_role" text DEFAULT 'Image' NOT NULL,
	"download_state" text DEFAULT 'BYPASSED' NOT NULL,
	"state" text DEFAULT 'Ready' NOT NULL,
	"download_pct" integer DEFAULT 0 NOT NULL,
	"size_bytes" bigint,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "template_store_ref_bypassed_has_no_store" CHECK ("template_store_ref"."download_state" <> 'BYPASSED' or "template_store_ref"."store_id" is null)
);
--> statement-breakpoint
CREATE TABLE "user" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"username" text NOT NULL,
	"password" text NOT NULL,
	"account_id" uuid NOT NULL,
	"firstname" text DEFAULT '' NOT NULL,
	"lastname" text DEFAULT '' NOT NULL,
	"email" text DEFAULT '' NOT NULL,
	"state" text DEFAULT 'enabled' NOT NULL,
	"api_key" text,
	"secret_key_encrypted" text,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	"removed" timestamp with time zone,
	CONSTRAINT "user_api_key_key" UNIQUE("api_key")
);
--> statement-breakpoint
CREATE TABLE "vm_instance" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	"display_name" text NOT NULL,
	"instance_name" text NOT NULL,
	"account_id" uuid NOT NULL,
	"data_center_id" uuid NOT NULL,
	"template_id" uuid NOT NULL,
	"service_offering_id" uuid NOT NULL,
	"host_id" uuid,
	"last_host_id" uuid,
	"state" text NOT NULL,
	"error_text" text,
	"hypervisor_type" text DEFAULT 'KVM' NOT NULL,
	"fence_token" bigint DEFAULT 0 NOT NULL,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	"removed" timestamp with time zone,
	CONSTRAINT "vm_instance_instance_name_key" UNIQUE("instance_name"),
	CONSTRAINT "vm_instance_state_check" CHECK ("vm_instance"."state" in ('Starting', 'Running', 'Stopping', 'Stopped', 'Destroyed', 'Expunging', 'Expunged', 'Error')),
	CONSTRAINT "vm_instance_running_has_host" CHECK ("vm_instance"."state" <> 'Running' or "vm_instance"."host_id" is not null)
);
--> statement-breakpoint
CREATE TABLE "vm_template" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	"display_text" text NOT NULL,
	"account_id" uuid NOT NULL,
	"guest_os_id" uuid,
	"state" text DEFAULT 'Registering' NOT NULL,
	"type" text DEFAULT 'USER' NOT NULL,
	"format" text NOT NULL,
	"hypervisor_type" text DEFAULT 'KVM' NOT NULL,
	"arch" text DEFAULT 'x86_64' NOT NULL,
	"bits" integer DEFAULT 64 NOT NULL,
	"url_encrypted" text NOT NULL,
	"url" text NOT NULL,
	"checksum" text,
	"direct_download" boolean DEFAULT false NOT NULL,
	"is_public" boolean DEFAULT false NOT NULL,
	"is_featured" boolean DEFAULT false NOT NULL,
	"is_extractable" boolean DEFAULT false NOT NULL,
	"requires_hvm" boolean DEFAULT true NOT NULL,
	"generation" integer DEFAULT 1 NOT NULL,
	"size_bytes" bigint,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	"removed" timestamp with time zone,
	CONSTRAINT "vm_template_state_check" CHECK ("vm_template"."state" in ('Registering', 'Active', 'Inactive'))
);
--> statement-breakpoint
CREATE TABLE "vm_template_details" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"template_id" uuid NOT NULL,
	"name" text NOT NULL,
	"value" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "volumes" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	"account_id" uuid NOT NULL,
	"instance_id" uuid,
	"volume_type" text NOT NULL,
	"state" text DEFAULT 'Allocated' NOT NULL,
	"template_id" uuid,
	"pool_id" uuid,
	"template_spool_ref_id" uuid,
	"token" bigint,
	"path" text,
	"size_bytes" bigint,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	"removed" timestamp with time zone,
	CONSTRAINT "volumes_ready_has_file" CHECK ("volumes"."state" <> 'Ready' or ("volumes"."path" is not null and "volumes"."pool_id" is not null))
);
--> statement-breakpoint
ALTER TABLE "account" ADD CONSTRAINT "account_domain_id_domain_id_fk" FOREIGN KEY ("domain_id") REFERENCES "public"."domain"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "async_job" ADD CONSTRAINT "async_job_account_id_account_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."account"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "async_job" ADD CONSTRAINT "async_job_user_id_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."user"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "capacity_claim" ADD CONSTRAINT "capacity_claim_vm_id_vm_instance_id_fk" FOREIGN KEY ("vm_id") REFERENCES "public"."vm_instance"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "capacity_claim" ADD CONSTRAINT "capacity_claim_host_id_host_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."host"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "capacity_claim" ADD CONSTRAINT "capacity_claim_pool_id_storage_pool_id_fk" FOREIGN KEY ("pool_id") REFERENCES "public"."storage_pool"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "cleanup_debt" ADD CONSTRAINT "cleanup_debt_vm_id_vm_instance_id_fk" FOREIGN KEY ("vm_id") REFERENCES "public"."vm_instance"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "cleanup_debt" ADD CONSTRAINT "cleanup_debt_host_id_host_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."host"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "cluster" ADD CONSTRAINT "cluster_data_center_id_data_center_id_fk" FOREIGN KEY ("data_center_id") REFERENCES "public"."data_center"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "cluster" ADD CONSTRAINT "cluster_pod_id_host_pod_ref_id_fk" FOREIGN KEY ("pod_id") REFERENCES "public"."host_pod_ref"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "event" ADD CONSTRAINT "event_account_id_account_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."account"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "host_pod_ref" ADD CONSTRAINT "host_pod_ref_data_center_id_data_center_id_fk" FOREIGN KEY ("data_center_id") REFERENCES "public"."data_center"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "host" ADD CONSTRAINT "host_data_center_id_data_center_id_fk" FOREIGN KEY ("data_center_id") REFERENCES "public"."data_center"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "host" ADD CONSTRAINT "host_pod_id_host_pod_ref_id_fk" FOREIGN KEY ("pod_id") REFERENCES "public"."host_pod_ref"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "host" ADD CONSTRAINT "host_cluster_id_cluster_id_fk" FOREIGN KEY ("cluster_id") REFERENCES "public"."cluster"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "stage_waiter" ADD CONSTRAINT "stage_waiter_spool_ref_id_template_spool_ref_id_fk" FOREIGN KEY ("spool_ref_id") REFERENCES "public"."template_spool_ref"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "storage_pool" ADD CONSTRAINT "storage_pool_data_center_id_data_center_id_fk" FOREIGN KEY ("data_center_id") REFERENCES "public"."data_center"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "storage_pool" ADD CONSTRAINT "storage_pool_pod_id_host_pod_ref_id_fk" FOREIGN KEY ("pod_id") REFERENCES "public"."host_pod_ref"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "storage_pool" ADD CONSTRAINT "storage_pool_cluster_id_cluster_id_fk" FOREIGN KEY ("cluster_id") REFERENCES "public"."cluster"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "storage_pool_host_ref" ADD CONSTRAINT "storage_pool_host_ref_pool_id_storage_pool_id_fk" FOREIGN KEY ("pool_id") REFERENCES "public"."storage_pool"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "storage_pool_host_ref" ADD CONSTRAINT "storage_pool_host_ref_host_id_host_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."host"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "template_spool_ref" ADD CONSTRAINT "template_spool_ref_pool_id_storage_pool_id_fk" FOREIGN KEY ("pool_id") REFERENCES "public"."storage_pool"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "template_spool_ref" ADD CONSTRAINT "template_spool_ref_template_id_vm_template_id_fk" FOREIGN KEY ("template_id") REFERENCES "public"."vm_template"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "template_spool_ref" ADD CONSTRAINT "template_spool_ref_host_id_host_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."host"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "template_store_ref" ADD CONSTRAINT "template_store_ref_template_id_vm_template_id_fk" FOREIGN KEY ("template_id") REFERENCES "public"."vm_template"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "template_store_ref" ADD CONSTRAINT "template_store_ref_data_center_id_data_center_id_fk" FOREIGN KEY ("data_center_id") REFERENCES "public"."data_center"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "user" ADD CONSTRAINT "user_account_id_account_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."account"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vm_instance" ADD CONSTRAINT "vm_instance_account_id_account_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."account"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vm_instance" ADD CONSTRAINT "vm_instance_data_center_id_data_center_id_fk" FOREIGN KEY ("data_center_id") REFERENCES "public"."data_center"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vm_instance" ADD CONSTRAINT "vm_instance_template_id_vm_template_id_fk" FOREIGN KEY ("template_id") REFERENCES "public"."vm_template"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vm_instance" ADD CONSTRAINT "vm_instance_service_offering_id_service_offering_id_fk" FOREIGN KEY ("service_offering_id") REFERENCES "public"."service_offering"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vm_instance" ADD CONSTRAINT "vm_instance_host_id_host_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."host"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vm_instance" ADD CONSTRAINT "vm_instance_last_host_id_host_id_fk" FOREIGN KEY ("last_host_id") REFERENCES "public"."host"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vm_template" ADD CONSTRAINT "vm_template_account_id_account_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."account"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vm_template" ADD CONSTRAINT "vm_template_guest_os_id_guest_os_id_fk" FOREIGN KEY ("guest_os_id") REFERENCES "public"."guest_os"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vm_template_details" ADD CONSTRAINT "vm_template_details_template_id_vm_template_id_fk" FOREIGN KEY ("template_id") REFERENCES "public"."vm_template"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "volumes" ADD CONSTRAINT "volumes_account_id_account_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."account"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "volumes" ADD CONSTRAINT "volumes_instance_id_vm_instance_id_fk" FOREIGN KEY ("instance_id") REFERENCES "public"."vm_instance"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "volumes" ADD CONSTRAINT "volumes_template_id_vm_template_id_fk" FOREIGN KEY ("template_id") REFERENCES "public"."vm_template"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "volumes" ADD CONSTRAINT "volumes_pool_id_storage_pool_id_fk" FOREIGN KEY ("pool_id") REFERENCES "public"."storage_pool"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "volumes" ADD CONSTRAINT "volumes_template_spool_ref_id_template_spool_ref_id_fk" FOREIGN KEY ("template_spool_ref_id") REFERENCES "public"."template_spool_ref"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "account_domain_id_idx" ON "account" USING btree ("domain_id");--> statement-breakpoint
CREATE UNIQUE INDEX "async_job_workflow_id_running_key" ON "async_job" USING btree ("workflow_id") WHERE job_status = 0;--> statement-breakpoint
CREATE INDEX "async_job_account_id_idx" ON "async_job" USING btree ("account_id");--> statement-breakpoint
CREATE INDEX "async_job_user_id_idx" ON "async_job" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "capacity_claim_host_id_idx" ON "capacity_claim" USING btree ("host_id");--> statement-breakpoint
CREATE INDEX "capacity_claim_pool_id_idx" ON "capacity_claim" USING btree ("pool_id");--> statement-breakpoint
CREATE INDEX "cleanup_debt_host_id_idx" ON "cleanup_debt" USING btree ("host_id");--> statement-breakpoint
CREATE INDEX "cluster_data_center_id_idx" ON "cluster" USING btree ("data_center_id");--> statement-breakpoint
CREATE INDEX "cluster_pod_id_idx" ON "cluster" USING btree ("pod_id");--> statement-breakpoint
CREATE UNIQUE INDEX "data_center_name_key" ON "data_center" USING btree ("name") WHERE removed is null;--> statement-breakpoint
CREATE INDEX "event_account_id_idx" ON "event" USING btree ("account_id");--> statement-breakpoint
CREATE INDEX "event_created_idx" ON "event" USING btree ("created");--> statement-breakpoint
CREATE INDEX "host_pod_ref_data_center_id_idx" ON "host_pod_ref" USING btree ("data_center_id");--> statement-breakpoint
CREATE UNIQUE INDEX "host_name_key" ON "host" USING btree ("name") WHERE removed is null;--> statement-breakpoint
CREATE INDEX "host_data_center_id_idx" ON "host" USING btree ("data_center_id");--> statement-breakpoint
CREATE INDEX "host_pod_id_idx" ON "host" USING btree ("pod_id");--> statement-breakpoint
CREATE INDEX "host_cluster_id_idx" ON "host" USING btree ("cluster_id");--> statement-breakpoint
CREATE UNIQUE INDEX "service_offering_name_key" ON "service_offering" USING btree ("name") WHERE removed is null;--> statement-breakpoint
CREATE INDEX "stage_waiter_spool_ref_id_idx" ON "stage_waiter" USING btree ("spool_ref_id");--> statement-breakpoint
CREATE UNIQUE INDEX "storage_pool_name_key" ON "storage_pool" USING btree ("name") WHERE removed is null;--> statement-breakpoint
CREATE INDEX "storage_pool_data_center_id_idx" ON "storage_pool" USING btree ("data_center_id");--> statement-breakpoint
CREATE INDEX "storage_pool_cluster_id_idx" ON "storage_pool" USING btree ("cluster_id");--> statement-breakpoint
CREATE INDEX "storage_pool_pod_id_idx" ON "storage_pool" USING btree ("pod_id");--> statement-breakpoint
CREATE INDEX "storage_pool_host_ref_host_id_idx" ON "storage_pool_host_ref" USING btree ("host_id");--> statement-breakpoint
CREATE UNIQUE INDEX "template_spool_ref_pool_id_template_id_key" ON "template_spool_ref" USING btree ("pool_id","template_id") WHERE state <> 'Superseded';--> statement-breakpoint
CREATE INDEX "template_spool_ref_template_id_idx" ON "template_spool_ref" USING btree ("template_id");--> statement-breakpoint
CREATE INDEX "template_spool_ref_host_id_idx" ON "template_spool_ref" USING btree ("host_id");--> statement-breakpoint
CREATE UNIQUE INDEX "template_store_ref_template_id_data_center_id_key" ON "template_store_ref" USING btree ("template_id","data_center_id") WHERE state = 'Ready';--> statement-breakpoint
CREATE INDEX "template_store_ref_data_center_id_idx" ON "template_store_ref" USING btree ("data_center_id");--> statement-breakpoint
CREATE INDEX "user_account_id_idx" ON "user" USING btree ("account_id");--> statement-breakpoint
CREATE INDEX "vm_instance_account_id_idx" ON "vm_instance" USING btree ("account_id");--> statement-breakpoint
CREATE INDEX "vm_instance_data_center_id_idx" ON "vm_instance" USING btree ("data_center_id");--> statement-breakpoint
CREATE INDEX "vm_instance_template_id_idx" ON "vm_instance" USING btree ("template_id");--> statement-breakpoint
CREATE INDEX "vm_instance_service_offering_id_idx" ON "vm_instance" USING btree ("service_offering_id");--> statement-breakpoint
CREATE INDEX "vm_instance_host_id_idx" ON "vm_instance" USING btree ("host_id");--> statement-breakpoint
CREATE INDEX "vm_instance_last_host_id_idx" ON "vm_instance" USING btree ("last_host_id");--> statement-breakpoint
CREATE INDEX "vm_template_account_id_idx" ON "vm_template" USING btree ("account_id");--> statement-breakpoint
CREATE INDEX "vm_template_guest_os_id_idx" ON "vm_template" USING btree ("guest_os_id");--> statement-breakpoint
CREATE INDEX "vm_template_details_template_id_idx" ON "vm_template_details" USING btree ("template_id");--> statement-breakpoint
CREATE INDEX "volumes_account_id_idx" ON "volumes" USING btree ("account_id");--> statement-breakpoint
CREATE INDEX "volumes_instance_id_idx" ON "volumes" USING btree ("instance_id");--> statement-breakpoint
CREATE INDEX "volumes_template_id_idx" ON "volumes" USING btree ("template_id");--> statement-breakpoint
CREATE INDEX "volumes_pool_id_idx" ON "volumes" USING btree ("pool_id");--> statement-breakpoint
CREATE INDEX "volumes_template_spool_ref_id_idx" ON "volumes" USING btree ("template_spool_ref_id");--> statement-breakpoint
CREATE UNIQUE INDEX "volumes_root_of_instance_key" ON "volumes" USING btree ("instance_id") WHERE volume_type = 'ROOT' and removed is null;