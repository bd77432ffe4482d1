DROP INDEX "event_archived_idx";--> statement-breakpoint
DROP INDEX "vm_template_sort_key_created_id_idx";--> statement-breakpoint
CREATE INDEX "vm_template_listed_idx" ON "vm_template" USING btree ("sort_key","created","id") WHERE removed is null and state = 'Active' and format <> 'ISO';--> statement-breakpoint
CREATE INDEX "vm_template_listed_isos_idx" ON "vm_template" USING btree ("sort_key","created","id") WHERE removed is null and state = 'Active' and format = 'ISO';--> statement-breakpoint
CREATE INDEX "vm_template_public_idx" ON "vm_template" USING btree ("sort_key","created","id") WHERE removed is null and state = 'Active' and is_public;
--> statement-breakpoint
-- In how many zones a template is Ready: lists have a row of each. It stands in the row of the template, so that a change of
-- its zones and a change of who may see it wait for each other, and the numbers in row_count follow from one row. Not in
-- db/schema: no other query is to carry it along.
ALTER TABLE "vm_template" ADD COLUMN "zones" integer DEFAULT 0 NOT NULL;
--> statement-breakpoint
CREATE FUNCTION "count_template_zones"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    UPDATE vm_template SET zones = 0 WHERE zones <> 0;
    RETURN NULL;
  END IF;
  IF TG_OP <> 'INSERT' AND OLD.state = 'Ready' THEN
    UPDATE vm_template SET zones = zones - 1 WHERE id = OLD.template_id;
  END IF;
  IF TG_OP <> 'DELETE' AND NEW.state = 'Ready' THEN
    UPDATE vm_template SET zones = zones + 1 WHERE id = NEW.template_id;
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
-- The list that shows a template, and to whom beside its owner.
CREATE FUNCTION "template_counted"("vm_template") RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN $1.format = 'ISO' THEN 'iso' ELSE 'template' END
    || CASE WHEN NOT $1.is_public THEN '' WHEN $1.is_featured THEN ' featured' ELSE ' community' END
$$;
--> statement-breakpoint
CREATE FUNCTION "count_templates"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    INSERT INTO row_count SELECT r.counted, r.account_id, -sum(r.rows) FROM row_count r
      WHERE r.counted LIKE 'template%' OR r.counted LIKE 'iso%' GROUP BY r.counted, r.account_id;
    RETURN NULL;
  END IF;
  IF TG_OP <> 'INSERT' AND OLD.state = 'Active' AND OLD.removed IS NULL AND OLD.zones > 0 THEN
    INSERT INTO row_count VALUES (template_counted(OLD), OLD.account_id, -OLD.zones);
  END IF;
  IF TG_OP <> 'DELETE' AND NEW.state = 'Active' AND NEW.removed IS NULL AND NEW.zones > 0 THEN
    INSERT INTO row_count VALUES (template_counted(NEW), NEW.account_id, NEW.zones);
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
LOCK TABLE "vm_template", "template_store_ref" IN SHARE ROW EXCLUSIVE MODE;
--> statement-breakpoint
UPDATE "vm_template" SET "zones" = ready.zones
  FROM (SELECT template_id, count(*) AS zones FROM "template_store_ref" WHERE state = 'Ready' GROUP BY template_id) AS ready
  WHERE id = ready.template_id;
--> statement-breakpoint
INSERT INTO "row_count" SELECT template_counted(t), account_id, sum(zones) FROM "vm_template" t
  WHERE state = 'Active' AND removed IS NULL GROUP BY 1, 2 HAVING sum(zones) > 0;
--> statement-breakpoint
CREATE TRIGGER "template_store_ref_count_zones" AFTER INSERT OR UPDATE OF "state", "template_id" OR DELETE ON "template_store_ref"
  FOR EACH ROW EXECUTE FUNCTION "count_template_zones"();
--> statement-breakpoint
CREATE TRIGGER "template_store_ref_count_truncated" AFTER TRUNCATE ON "template_store_ref"
  FOR EACH STATEMENT EXECUTE FUNCTION "count_template_zones"();
--> statement-breakpoint
CREATE TRIGGER "vm_template_count" AFTER INSERT OR DELETE OR UPDATE ON "vm_template"
  FOR EACH ROW EXECUTE FUNCTION "count_templates"();
--> statement-breakpoint
CREATE TRIGGER "vm_template_count_truncated" AFTER TRUNCATE ON "vm_template"
  FOR EACH STATEMENT EXECUTE FUNCTION "count_templates"();
