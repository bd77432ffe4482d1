CREATE TABLE "configuration_scoped" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	"value" text NOT NULL,
	"zone_id" uuid,
	"cluster_id" uuid,
	"pool_id" uuid,
	"account_id" uuid,
	"updated" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "configuration_scoped_name_place_key" UNIQUE NULLS NOT DISTINCT("name","zone_id","cluster_id","pool_id","account_id"),
	CONSTRAINT "configuration_scoped_one_place" CHECK (num_nonnulls("configuration_scoped"."zone_id", "configuration_scoped"."cluster_id", "configuration_scoped"."pool_id", "configuration_scoped"."account_id") = 1)
);
--> statement-breakpoint
CREATE TABLE "host_join_token" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"secret_sha256" text NOT NULL,
	"cluster_id" uuid,
	"host_id" uuid,
	"account_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"expires" timestamp with time zone NOT NULL,
	"used" timestamp with time zone,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "host_join_token_purpose_check" CHECK (num_nonnulls("host_join_token"."cluster_id", "host_join_token"."host_id") = 1),
	CONSTRAINT "host_join_token_secret_sha256_check" CHECK ("host_join_token"."secret_sha256" ~ '^[0-9a-f]{64}$')
);
--> statement-breakpoint
ALTER TABLE "host" DROP CONSTRAINT "host_status_check";--> statement-breakpoint
ALTER TABLE "host" ALTER COLUMN "public_key" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "host" ADD COLUMN "libvirt_version" text;--> statement-breakpoint
ALTER TABLE "host" ADD COLUMN "slipway_version" text;--> statement-breakpoint
ALTER TABLE "host" ADD COLUMN "version_skew" text;--> statement-breakpoint
ALTER TABLE "host" ADD COLUMN "missing_tools" text[] DEFAULT '{}'::text[] NOT NULL;--> statement-breakpoint
ALTER TABLE "configuration_scoped" ADD CONSTRAINT "configuration_scoped_zone_id_data_center_id_fk" FOREIGN KEY ("zone_id") REFERENCES "public"."data_center"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "configuration_scoped" ADD CONSTRAINT "configuration_scoped_cluster_id_cluster_id_fk" FOREIGN KEY ("cluster_id") REFERENCES "public"."cluster"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "configuration_scoped" ADD CONSTRAINT "configuration_scoped_pool_id_storage_pool_id_fk" FOREIGN KEY ("pool_id") REFERENCES "public"."storage_pool"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "configuration_scoped" ADD CONSTRAINT "configuration_scoped_account_id_account_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."account"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "host_join_token" ADD CONSTRAINT "host_join_token_cluster_id_cluster_id_fk" FOREIGN KEY ("cluster_id") REFERENCES "public"."cluster"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "host_join_token" ADD CONSTRAINT "host_join_token_host_id_host_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."host"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "host_join_token" ADD CONSTRAINT "host_join_token_account_id_account_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."account"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "host_join_token" ADD CONSTRAINT "host_join_token_user_id_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."user"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "configuration_scoped_zone_id_idx" ON "configuration_scoped" USING btree ("zone_id");--> statement-breakpoint
CREATE INDEX "configuration_scoped_cluster_id_idx" ON "configuration_scoped" USING btree ("cluster_id");--> statement-breakpoint
CREATE INDEX "configuration_scoped_pool_id_idx" ON "configuration_scoped" USING btree ("pool_id");--> statement-breakpoint
CREATE INDEX "configuration_scoped_account_id_idx" ON "configuration_scoped" USING btree ("account_id");--> statement-breakpoint
CREATE INDEX "host_join_token_cluster_id_idx" ON "host_join_token" USING btree ("cluster_id");--> statement-breakpoint
CREATE INDEX "host_join_token_host_id_idx" ON "host_join_token" USING btree ("host_id");--> statement-breakpoint
CREATE INDEX "host_join_token_account_id_idx" ON "host_join_token" USING btree ("account_id");--> statement-breakpoint
CREATE INDEX "host_join_token_user_id_idx" ON "host_join_token" USING btree ("user_id");--> statement-breakpoint
ALTER TABLE "host" ADD CONSTRAINT "host_public_key_check" CHECK (case "host"."status" when 'Revoked' then "host"."public_key" is null when 'Removed' then true else "host"."public_key" is not null end);--> statement-breakpoint
ALTER TABLE "host" ADD CONSTRAINT "host_status_check" CHECK ("host"."status" in ('Connecting', 'Up', 'Down', 'Alert', 'Revoked', 'Removed'));--> statement-breakpoint
-- What is removed stays in its table: its settings go, since nobody could see or change them any more.
CREATE FUNCTION "forget_scoped_configuration"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('DELETE FROM "configuration_scoped" WHERE %I = $1', TG_ARGV[0]) USING NEW."id";
	RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER "data_center_removed" AFTER UPDATE OF "removed" ON "data_center" FOR EACH ROW WHEN (NEW."removed" IS NOT NULL) EXECUTE FUNCTION "forget_scoped_configuration"('zone_id');--> statement-breakpoint
CREATE TRIGGER "cluster_removed" AFTER UPDATE OF "removed" ON "cluster" FOR EACH ROW WHEN (NEW."removed" IS NOT NULL) EXECUTE FUNCTION "forget_scoped_configuration"('cluster_id');--> statement-breakpoint
CREATE TRIGGER "storage_pool_removed" AFTER UPDATE OF "removed" ON "storage_pool" FOR EACH ROW WHEN (NEW."removed" IS NOT NULL) EXECUTE FUNCTION "forget_scoped_configuration"('pool_id');--> statement-breakpoint
CREATE TRIGGER "account_removed" AFTER UPDATE OF "removed" ON "account" FOR EACH ROW WHEN (NEW."removed" IS NOT NULL) EXECUTE FUNCTION "forget_scoped_configuration"('account_id');
