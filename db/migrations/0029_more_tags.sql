ALTER TABLE "resource_tags" DROP CONSTRAINT "resource_tags_of_one";--> statement-breakpoint
ALTER TABLE "resource_tags" ALTER COLUMN "account_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "resource_tags" ADD COLUMN "network_id" uuid;--> statement-breakpoint
ALTER TABLE "resource_tags" ADD COLUMN "tagged_account_id" uuid;--> statement-breakpoint
ALTER TABLE "resource_tags" ADD COLUMN "user_id" uuid;--> statement-breakpoint
ALTER TABLE "resource_tags" ADD CONSTRAINT "resource_tags_network_id_networks_id_fk" FOREIGN KEY ("network_id") REFERENCES "public"."networks"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "resource_tags" ADD CONSTRAINT "resource_tags_tagged_account_id_account_id_fk" FOREIGN KEY ("tagged_account_id") REFERENCES "public"."account"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "resource_tags" ADD CONSTRAINT "resource_tags_user_id_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."user"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "resource_tags" ADD CONSTRAINT "resource_tags_network_id_key_key" UNIQUE("network_id","key");--> statement-breakpoint
ALTER TABLE "resource_tags" ADD CONSTRAINT "resource_tags_tagged_account_id_key_key" UNIQUE("tagged_account_id","key");--> statement-breakpoint
ALTER TABLE "resource_tags" ADD CONSTRAINT "resource_tags_user_id_key_key" UNIQUE("user_id","key");--> statement-breakpoint
ALTER TABLE "resource_tags" ADD CONSTRAINT "resource_tags_of_somebody" CHECK ("resource_tags"."account_id" is not null or "resource_tags"."network_id" is not null);--> statement-breakpoint
ALTER TABLE "resource_tags" ADD CONSTRAINT "resource_tags_of_one" CHECK (num_nonnulls("resource_tags"."instance_id", "resource_tags"."template_id", "resource_tags"."volume_id", "resource_tags"."network_id", "resource_tags"."tagged_account_id", "resource_tags"."user_id") = 1);--> statement-breakpoint
CREATE OR REPLACE FUNCTION "forget_tags"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'vm_instance' THEN
    DELETE FROM resource_tags WHERE instance_id = NEW.id;
  ELSIF TG_TABLE_NAME = 'vm_template' THEN
    DELETE FROM resource_tags WHERE template_id = NEW.id;
  ELSIF TG_TABLE_NAME = 'networks' THEN
    DELETE FROM resource_tags WHERE network_id = NEW.id;
  ELSIF TG_TABLE_NAME = 'account' THEN
    DELETE FROM resource_tags WHERE tagged_account_id = NEW.id;
  ELSIF TG_TABLE_NAME = 'user' THEN
    DELETE FROM resource_tags WHERE user_id = NEW.id;
  ELSE
    UPDATE resource_tags SET volume_id = heir.id FROM volumes heir
      WHERE heir.id = NEW.replaced_by_id AND resource_tags.volume_id = NEW.id;
    DELETE FROM resource_tags WHERE volume_id = NEW.id;
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER "networks_forget_tags" AFTER UPDATE OF "removed" ON "networks" FOR EACH ROW
  WHEN (NEW.removed IS NOT NULL AND OLD.removed IS NULL) EXECUTE FUNCTION "forget_tags"();
--> statement-breakpoint
CREATE TRIGGER "account_forget_tags" AFTER UPDATE OF "removed" ON "account" FOR EACH ROW
  WHEN (NEW.removed IS NOT NULL AND OLD.removed IS NULL) EXECUTE FUNCTION "forget_tags"();
--> statement-breakpoint
CREATE TRIGGER "user_forget_tags" AFTER UPDATE OF "removed" ON "user" FOR EACH ROW
  WHEN (NEW.removed IS NOT NULL AND OLD.removed IS NULL) EXECUTE FUNCTION "forget_tags"();
