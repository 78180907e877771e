import Postgres

/// The schema's steps in order; a test compares the list with the folder.
let inventoryMigrator = Migrator(
  schema: "inventory",
  migrations: [
    Migration(name: "V0001_inventory", bytes: PackageResources.V0001_inventory_sql),
    Migration(name: "V0002_catalogue", bytes: PackageResources.V0002_catalogue_sql),
    Migration(name: "V0003_life", bytes: PackageResources.V0003_life_sql),
    Migration(name: "V0004_quotas", bytes: PackageResources.V0004_quotas_sql),
    Migration(name: "V0005_metering", bytes: PackageResources.V0005_metering_sql),
    Migration(name: "V0006_sight", bytes: PackageResources.V0006_sight_sql),
  ])
