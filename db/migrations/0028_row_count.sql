CREATE TABLE "row_count" (
	"counted" text NOT NULL,
	"account_id" uuid,
	"rows" bigint NOT NULL
);
--> statement-breakpoint
CREATE INDEX "row_count_counted_account_id_rows_idx" ON "row_count" USING btree ("counted","account_id","rows");--> statement-breakpoint
-- Has the number of a table's rows for which a condition on "r" holds kept in row_count, from now on. What the table holds is
-- counted behind a lock that keeps writers out until the transaction ends: none is missed, and none counted twice.
CREATE FUNCTION "keep_row_count"("counted" text, "is_listed" text) RETURNS void LANGUAGE plpgsql AS $keep$
DECLARE
  is_new_listed text := regexp_replace(is_listed, '\mr\.', 'NEW.', 'g');
  is_old_listed text := regexp_replace(is_listed, '\mr\.', 'OLD.', 'g');
BEGIN
  EXECUTE format('LOCK TABLE %I IN SHARE ROW EXCLUSIVE MODE', counted);
  EXECUTE format($sql$
    CREATE FUNCTION %2$I() RETURNS trigger LANGUAGE plpgsql AS $count$
    BEGIN
      IF TG_OP = 'INSERT' THEN
        INSERT INTO row_count SELECT %1$L, r.account_id, count(*) FROM new_rows r WHERE %3$s GROUP BY r.account_id;
      ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO row_count SELECT %1$L, r.account_id, -count(*) FROM old_rows r WHERE %3$s GROUP BY r.account_id;
      ELSIF TG_OP = 'TRUNCATE' THEN
        INSERT INTO row_count SELECT %1$L, r.account_id, -sum(r.rows) FROM row_count r WHERE r.counted = %1$L GROUP BY r.account_id;
      ELSE
        IF %5$s THEN INSERT INTO row_count VALUES (%1$L, OLD.account_id, -1); END IF;
        IF %4$s THEN INSERT INTO row_count VALUES (%1$L, NEW.account_id, 1); END IF;
      END IF;
      RETURN NULL;
    END $count$$sql$, counted, counted || '_count_rows', is_listed, is_new_listed, is_old_listed);
  EXECUTE format('CREATE TRIGGER %2$I AFTER INSERT ON %1$I REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION %3$I()', counted, counted || '_count_inserted', counted || '_count_rows');
  EXECUTE format('CREATE TRIGGER %2$I AFTER DELETE ON %1$I REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT
    EXECUTE FUNCTION %3$I()', counted, counted || '_count_deleted', counted || '_count_rows');
  EXECUTE format('CREATE TRIGGER %2$I AFTER TRUNCATE ON %1$I FOR EACH STATEMENT
    EXECUTE FUNCTION %3$I()', counted, counted || '_count_truncated', counted || '_count_rows');
  -- For each row, and not for each statement: what changes nothing of the number is to cost nothing.
  EXECUTE format('CREATE TRIGGER %2$I AFTER UPDATE ON %1$I FOR EACH ROW
    WHEN ((OLD.account_id, %5$s) IS DISTINCT FROM (NEW.account_id, %4$s))
    EXECUTE FUNCTION %3$I()', counted, counted || '_count_updated', counted || '_count_rows', is_new_listed, is_old_listed);
  EXECUTE format('INSERT INTO row_count SELECT %1$L, r.account_id, count(*) FROM %1$I r WHERE %2$s GROUP BY r.account_id',
    counted, is_listed);
END $keep$;
--> statement-breakpoint
-- In the order in which a deployment writes them: it waits for this, and is not waited for.
SELECT "keep_row_count"('vm_instance', $$r.state <> 'Expunged'$$);
--> statement-breakpoint
SELECT "keep_row_count"('volumes', $$r.state <> 'Expunged' AND r.removed IS NULL$$);
--> statement-breakpoint
SELECT "keep_row_count"('async_job', 'true');
--> statement-breakpoint
SELECT "keep_row_count"('event', 'NOT r.archived');
--> statement-breakpoint
SELECT "keep_row_count"('resource_tags', 'true');
