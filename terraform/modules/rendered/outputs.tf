output "objects" {
  description = "All objects by kind/namespace/name."
  value       = local.by_key

  precondition {
    condition     = length(local.unowned) == 0
    error_message = "Nobody would apply ${join(", ", local.unowned)}: the label app.kubernetes.io/component must be one of ${join(", ", local.owners)}."
  }

  precondition {
    condition     = length(local.hollow) == 0
    error_message = "${join(", ", local.hollow)}: a field is null, an empty list, or has a zero value that the API leaves out of its answer. Leave it out of k8s/ as well: it means the same."
  }

  precondition {
    condition     = length(local.unsettled) == 0
    error_message = "Write quantities as the API server gives them back (500m, 1, 1Gi), not ${join(", ", local.unsettled)}: the provider stops at an answer that differs from what it sent."
  }
}

output "policy" {
  description = "Namespace and what holds for all of it: for modules/namespace."
  value       = { for key, object in local.by_key : key => object if local.component[key] == "policy" }
}

output "data_stores" {
  description = "Redis and PostgreSQL inside the cluster, with their backup: for modules/data-stores. Empty where they are outside."
  value       = { for key, object in local.by_key : key => object if local.component[key] == "data-store" }
}

output "service" {
  description = "The five apps and the migration: for modules/chart-service."
  value       = { for key, object in local.by_key : key => object if local.component[key] == "service" }
}

output "monitoring" {
  description = "What Prometheus scrapes and alerts: for modules/observability."
  value       = { for key, object in local.by_key : key => object if local.component[key] == "monitoring" }
}
