import Postgres

/// The schema's steps in order; a test compares the list with the folder.
let authMigrator = Migrator(
  schema: "auth",
  migrations: [
    Migration(name: "V0001_users", bytes: PackageResources.V0001_users_sql),
    Migration(name: "V0002_lists", bytes: PackageResources.V0002_lists_sql),
    Migration(name: "V0003_identity", bytes: PackageResources.V0003_identity_sql),
    Migration(name: "V0004_idempotency", bytes: PackageResources.V0004_idempotency_sql),
    Migration(name: "V0005_quotas", bytes: PackageResources.V0005_quotas_sql),
  ])
