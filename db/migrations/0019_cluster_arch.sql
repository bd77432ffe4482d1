ALTER TABLE "cluster" ALTER COLUMN "arch" DROP DEFAULT;--> statement-breakpoint
ALTER TABLE "cluster" ALTER COLUMN "arch" DROP NOT NULL;--> statement-breakpoint
-- Until now hosts of any architecture could join, and the cluster went by what it was made with.
UPDATE "cluster" SET "arch" = "found"."arch"
FROM (
  SELECT "cluster_id", min("arch") AS "arch" FROM "host" WHERE "removed" IS NULL
  GROUP BY "cluster_id" HAVING count(DISTINCT "arch") = 1
) AS "found"
WHERE "found"."cluster_id" = "cluster"."id" AND "found"."arch" IN ('x86_64', 'aarch64');
