CREATE TABLE "login_attempt" (
	"subject" text PRIMARY KEY NOT NULL,
	"attempts" integer NOT NULL,
	"since" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "resource_limit" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"account_id" uuid,
	"domain_id" uuid,
	"type" text NOT NULL,
	"max" bigint NOT NULL,
	CONSTRAINT "resource_limit_has_one_owner" CHECK (num_nonnulls("resource_limit"."account_id", "resource_limit"."domain_id") = 1),
	CONSTRAINT "resource_limit_max_check" CHECK ("resource_limit"."max" >= -1)
);
--> statement-breakpoint
CREATE TABLE "session" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"token_hash" text NOT NULL,
	"key_hash" text NOT NULL,
	"created" timestamp with time zone DEFAULT now() NOT NULL,
	"expires" timestamp with time zone NOT NULL,
	CONSTRAINT "session_token_hash_key" UNIQUE("token_hash")
);
--> statement-breakpoint
ALTER TABLE "account" DROP CONSTRAINT "account_account_name_domain_id_key";--> statement-breakpoint
ALTER TABLE "domain" DROP CONSTRAINT "domain_path_key";--> statement-breakpoint
ALTER TABLE "account" ADD COLUMN "is_default" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "account" ADD COLUMN "cleanup_needed" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "domain" ADD COLUMN "parent_id" uuid;--> statement-breakpoint
ALTER TABLE "domain" ADD COLUMN "state" text DEFAULT 'Active' NOT NULL;--> statement-breakpoint
ALTER TABLE "user" ADD COLUMN "domain_id" uuid;--> statement-breakpoint
UPDATE "user" SET "domain_id" = "account"."domain_id" FROM "account" WHERE "account"."id" = "user"."account_id";--> statement-breakpoint
ALTER TABLE "user" ALTER COLUMN "domain_id" SET NOT NULL;--> statement-breakpoint
UPDATE "account" SET "is_default" = true WHERE "id" = (SELECT "account_id" FROM "user" WHERE "username" = 'admin' ORDER BY "created" LIMIT 1);--> statement-breakpoint
ALTER TABLE "user" ADD COLUMN "timezone" text;--> statement-breakpoint
ALTER TABLE "resource_limit" ADD CONSTRAINT "resource_limit_account_id_account_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."account"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "resource_limit" ADD CONSTRAINT "resource_limit_domain_id_domain_id_fk" FOREIGN KEY ("domain_id") REFERENCES "public"."domain"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "session" ADD CONSTRAINT "session_user_id_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."user"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "login_attempt_since_idx" ON "login_attempt" USING btree ("since");--> statement-breakpoint
CREATE UNIQUE INDEX "resource_limit_account_id_type_key" ON "resource_limit" USING btree ("account_id","type");--> statement-breakpoint
CREATE UNIQUE INDEX "resource_limit_domain_id_type_key" ON "resource_limit" USING btree ("domain_id","type");--> statement-breakpoint
CREATE INDEX "session_user_id_idx" ON "session" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "session_expires_idx" ON "session" USING btree ("expires");--> statement-breakpoint
ALTER TABLE "domain" ADD CONSTRAINT "domain_parent_id_domain_id_fk" FOREIGN KEY ("parent_id") REFERENCES "public"."domain"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "user" ADD CONSTRAINT "user_domain_id_domain_id_fk" FOREIGN KEY ("domain_id") REFERENCES "public"."domain"("id") ON DELETE restrict ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "account_account_name_domain_id_key" ON "account" USING btree (lower(account_name),"domain_id") WHERE removed is null;--> statement-breakpoint
CREATE UNIQUE INDEX "domain_path_key" ON "domain" USING btree (lower(path)) WHERE removed is null;--> statement-breakpoint
CREATE INDEX "domain_parent_id_idx" ON "domain" USING btree ("parent_id");--> statement-breakpoint
CREATE UNIQUE INDEX "user_username_domain_id_key" ON "user" USING btree (lower(username),"domain_id") WHERE removed is null;--> statement-breakpoint
CREATE INDEX "user_domain_id_idx" ON "user" USING btree ("domain_id");