CREATE TABLE "direct_download_certificate_host_map" (
	"certificate_id" uuid NOT NULL,
	"host_id" uuid NOT NULL,
	"revoked" boolean DEFAULT false NOT NULL,
	"generation" bigint NOT NULL,
	"status" text DEFAULT 'PENDING' NOT NULL,
	"reason" text,
	"last_updated" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "direct_download_certificate_host_map_pkey" PRIMARY KEY("certificate_id","host_id"),
	CONSTRAINT "direct_download_certificate_host_map_status_check" CHECK (case "direct_download_certificate_host_map"."status" when 'UPLOADED' then not "direct_download_certificate_host_map"."revoked" when 'REVOKED' then "direct_download_certificate_host_map"."revoked"
        else "direct_download_certificate_host_map"."status" in ('PENDING', 'FAILED') end),
	CONSTRAINT "direct_download_certificate_host_map_failed_has_reason" CHECK (("direct_download_certificate_host_map"."status" = 'FAILED') = ("direct_download_certificate_host_map"."reason" is not null))
);
--> statement-breakpoint
CREATE TABLE "direct_download_certificate" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"alias" text NOT NULL,
	"certificate" text NOT NULL,
	"fingerprint" text NOT NULL,
	"subject" text NOT NULL,
	"issuer" text NOT NULL,
	"serial_number" text NOT NULL,
	"version" integer NOT NULL,
	"not_before" timestamp with time zone NOT NULL,
	"not_after" timestamp with time zone NOT NULL,
	"zone_id" uuid NOT NULL,
	"hypervisor_type" text DEFAULT 'KVM' NOT NULL,
	"revoked" boolean DEFAULT false NOT NULL,
	"warned_days" integer,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "direct_download_certificate_alias_check" CHECK ("direct_download_certificate"."alias" ~* '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
	CONSTRAINT "direct_download_certificate_fingerprint_check" CHECK ("direct_download_certificate"."fingerprint" ~ '^[0-9a-f]{64}$'),
	CONSTRAINT "direct_download_certificate_validity_check" CHECK ("direct_download_certificate"."not_before" <= "direct_download_certificate"."not_after")
);
--> statement-breakpoint
ALTER TABLE "data_center" ADD COLUMN "certificate_generation" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "host" ADD COLUMN "keystore_generation" bigint;--> statement-breakpoint
ALTER TABLE "host" ADD COLUMN "keystore_digest" text;--> statement-breakpoint
ALTER TABLE "direct_download_certificate_host_map" ADD CONSTRAINT "direct_download_certificate_host_map_certificate_id_direct_download_certificate_id_fk" FOREIGN KEY ("certificate_id") REFERENCES "public"."direct_download_certificate"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "direct_download_certificate_host_map" ADD CONSTRAINT "direct_download_certificate_host_map_host_id_host_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."host"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "direct_download_certificate" ADD CONSTRAINT "direct_download_certificate_zone_id_data_center_id_fk" FOREIGN KEY ("zone_id") REFERENCES "public"."data_center"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "direct_download_certificate_host_map_host_id_idx" ON "direct_download_certificate_host_map" USING btree ("host_id");--> statement-breakpoint
CREATE INDEX "direct_download_certificate_host_map_open_idx" ON "direct_download_certificate_host_map" USING btree ("host_id") WHERE status in ('PENDING', 'FAILED');--> statement-breakpoint
CREATE UNIQUE INDEX "direct_download_certificate_zone_id_hypervisor_type_alias_key" ON "direct_download_certificate" USING btree ("zone_id","hypervisor_type",lower("alias"));