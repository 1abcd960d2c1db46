locals {
  redis_url = {
    for app in ["ingestor", "aggregator", "persister", "auditor", "edge", "dashboard"] :
    app => "redis://${app}:${var.redis_passwords[app]}@redis:6379"
  }
  service_url = "postgres://${var.database.service}:${var.postgres_passwords.service}@postgres:5432/${var.database.name}"
  owner_url   = "postgres://${var.database.owner}:${var.postgres_passwords.owner}@postgres:5432/${var.database.name}"
}

output "redis_urls" {
  description = "REDIS_URL of each app."
  value       = local.redis_url
  sensitive   = true

  precondition {
    condition     = length(var.objects) == 0 || contains(keys(var.objects), "Service/${var.namespace}/redis")
    error_message = "The URLs name a Service redis, which is not among the objects."
  }

  # Who is told the URL goes on when there is a server behind it.
  depends_on = [kubernetes_manifest.stateful]
}

output "database_urls" {
  description = "DATABASE_URL of each app that has one, and of the migration."
  value = {
    ingestor  = local.service_url
    persister = local.service_url
    auditor   = local.service_url
    edge      = local.service_url
    migrate   = local.owner_url
  }
  sensitive = true

  precondition {
    condition     = length(var.objects) == 0 || contains(keys(var.objects), "Service/${var.namespace}/postgres")
    error_message = "The URLs name a Service postgres, which is not among the objects."
  }

  depends_on = [kubernetes_manifest.stateful]
}

output "applied" {
  description = "What is applied, by kind/namespace/name."
  value       = module.checksums.objects
}

output "checksums" {
  description = "Checksum of the Secrets that the pods of an object read at their start, by kind/namespace/name. It changes when they do."
  value       = module.checksums.checksums
}
