SELECT lock_all_tables();
--> statement-breakpoint
ALTER TABLE "direct_download_certificate_host_map" DROP CONSTRAINT "direct_download_certificate_host_map_status_check";--> statement-breakpoint
ALTER TABLE "direct_download_certificate_host_map" DROP CONSTRAINT "direct_download_certificate_host_map_failed_has_reason";--> statement-breakpoint
DROP INDEX "direct_download_certificate_host_map_host_id_idx";--> statement-breakpoint
DROP INDEX "direct_download_certificate_host_map_open_idx";--> statement-breakpoint
ALTER TABLE "host" ADD COLUMN "keystore_confirmed" bigint;--> statement-breakpoint
-- Up to the first change that it has not confirmed. What it has confirmed of later ones it is told again.
UPDATE "host" h SET keystore_confirmed = coalesce(
    (SELECT min(m.generation) - 1 FROM direct_download_certificate_host_map m WHERE m.host_id = h.id AND m.status = 'PENDING'),
    z.certificate_generation)
  FROM data_center z WHERE z.id = h.data_center_id AND h.keystore_generation IS NOT NULL;--> statement-breakpoint
CREATE INDEX "direct_download_certificate_host_map_host_id_generation_idx" ON "direct_download_certificate_host_map" USING btree ("host_id","generation");--> statement-breakpoint
CREATE INDEX "direct_download_certificate_host_map_failed_idx" ON "direct_download_certificate_host_map" USING btree ("host_id") WHERE reason is not null;--> statement-breakpoint
ALTER TABLE "direct_download_certificate_host_map" DROP COLUMN "status";--> statement-breakpoint
ALTER TABLE "direct_download_certificate_host_map" ADD CONSTRAINT "direct_download_certificate_host_map_generation_check" CHECK ("direct_download_certificate_host_map"."generation" > 0);
--> statement-breakpoint
CREATE FUNCTION "refuse_wish_without_generation"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'what is wanted of certificate % on host % was changed without a new generation', NEW.certificate_id, NEW.host_id
    USING ERRCODE = 'check_violation';
END $$;
--> statement-breakpoint
-- It would count as confirmed by what the host said before.
CREATE TRIGGER "direct_download_certificate_host_map_wish_has_generation"
  BEFORE UPDATE OF "revoked" ON "direct_download_certificate_host_map"
  FOR EACH ROW WHEN (NEW.revoked <> OLD.revoked AND NEW.generation <= OLD.generation)
  EXECUTE FUNCTION "refuse_wish_without_generation"();
