ALTER TABLE "event" ADD COLUMN "owner_description" text;--> statement-breakpoint
ALTER TABLE "vm_instance" ADD COLUMN "error_owner_text" text;--> statement-breakpoint
-- What was told before named hosts and pools to everybody.
UPDATE "event" SET "owner_description" = CASE "level"
    WHEN 'INFO' THEN regexp_replace("description", ' (on host|from pool) .*$', '')
    ELSE 'Something went wrong; an administrator is shown what' END
  WHERE "account_id" IS NOT NULL AND ("level" <> 'INFO' OR "description" ~ ' (on host|from pool) ');
