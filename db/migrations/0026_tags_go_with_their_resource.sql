-- Tags go with what they are on, whatever takes that away: lists of tags, and their counts, then need no look at it.
-- Those of a disk go to the disk that takes its place, when a VM is restored.
CREATE FUNCTION "forget_tags"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'vm_instance' THEN
    DELETE FROM resource_tags WHERE instance_id = NEW.id;
  ELSIF TG_TABLE_NAME = 'vm_template' THEN
    DELETE FROM resource_tags WHERE template_id = NEW.id;
  ELSE
    UPDATE resource_tags SET volume_id = heir.id FROM volumes heir
      WHERE heir.id = NEW.replaced_by_id AND resource_tags.volume_id = NEW.id;
    DELETE FROM resource_tags WHERE volume_id = NEW.id;
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER "vm_instance_forget_tags" AFTER UPDATE OF "removed" ON "vm_instance" FOR EACH ROW
  WHEN (NEW.removed IS NOT NULL AND OLD.removed IS NULL) EXECUTE FUNCTION "forget_tags"();
--> statement-breakpoint
CREATE TRIGGER "vm_template_forget_tags" AFTER UPDATE OF "removed" ON "vm_template" FOR EACH ROW
  WHEN (NEW.removed IS NOT NULL AND OLD.removed IS NULL) EXECUTE FUNCTION "forget_tags"();
--> statement-breakpoint
CREATE TRIGGER "volumes_forget_tags" AFTER UPDATE OF "removed" ON "volumes" FOR EACH ROW
  WHEN (NEW.removed IS NOT NULL AND OLD.removed IS NULL) EXECUTE FUNCTION "forget_tags"();
