locals {
  # What each app reads as environment. An app sees its own Secret and no other.
  environment = {
    ingestor   = { REDIS_URL = var.redis_urls.ingestor, DATABASE_URL = var.database_urls.ingestor }
    aggregator = merge({ REDIS_URL = var.redis_urls.aggregator }, local.queue.aggregator)
    persister  = merge({ REDIS_URL = var.redis_urls.persister, DATABASE_URL = var.database_urls.persister }, local.queue.persister)
    auditor    = { REDIS_URL = var.redis_urls.auditor, DATABASE_URL = var.database_urls.auditor }
    edge       = { REDIS_URL = var.redis_urls.edge, DATABASE_URL = var.database_urls.edge }
    dashboard  = { REDIS_URL = var.redis_urls.dashboard, CHART_API_KEY = var.dashboard_api_key }
    migrate    = { DATABASE_URL = var.database_urls.migrate }
  }
  queue = { for app, url in var.queue_redis_urls : app => url == null ? {} : { QUEUE_REDIS_URL = url } }

  apps = ["ingestor", "aggregator", "persister", "auditor", "edge", "dashboard", "migrate"]

  # Its entry in the edges' list is made of the key itself, so that one cannot be without the other.
  dashboard_key   = try(regex("^ck_([A-Za-z0-9-]{1,64})_([A-Za-z0-9_-]{43})$", var.dashboard_api_key), ["", ""])
  dashboard_entry = { id = local.dashboard_key[0], sha256 = sha256(local.dashboard_key[1]), scopes = ["history"] }

  # Authorities are read together with the URLs that name their files, so both count.
  checksums = { for app in local.apps : app => nonsensitive(sha256(jsonencode([local.environment[app], var.authorities]))) }

  objects       = module.checksums.objects
  configuration = { for key, object in local.objects : key => object if object.kind == "ConfigMap" }
  migration     = { for key, object in local.objects : key => object if object.kind == "Job" }
  deployments   = { for key, object in local.objects : key => object if object.kind == "Deployment" }
  scaling       = { for key, object in local.objects : key => object if contains(local.scaling_kinds, object.kind) }
  scaling_kinds = ["HorizontalPodAutoscaler", "ScaledObject"]
  around        = { for key, object in local.objects : key => object if !contains(concat(["ConfigMap", "Job", "Deployment"], local.scaling_kinds), object.kind) }
}

module "checksums" {
  source = "../secret-checksums"

  objects   = var.objects
  checksums = local.checksums
}

# ConfigMaps have a hash of their content in the name. The old one goes when all pods have the new one.
resource "kubernetes_manifest" "configuration" {
  for_each = local.configuration
  manifest = each.value

  field_manager {
    force_conflicts = var.force_conflicts
  }
  lifecycle {
    create_before_destroy = true
  }
}

# Service accounts, network policies, Services, disruption budgets: what a pod needs around it from its first second.
resource "kubernetes_manifest" "around" {
  for_each = local.around
  manifest = each.value

  field_manager {
    force_conflicts = var.force_conflicts
  }
}

# The tables, before any program that reads them. The Job's name ends in the version, so each version has a run of its own.
resource "kubernetes_manifest" "migration" {
  for_each = local.migration
  manifest = each.value
  # The API puts labels of its own on a Job's pods, and the provider would stop at what it did not write.
  computed_fields = ["metadata.labels", "metadata.annotations", "spec.template.metadata.labels"]

  field_manager {
    force_conflicts = var.force_conflicts
  }
  wait {
    condition {
      type   = "Complete"
      status = "True"
    }
  }
  timeouts {
    create = var.migration_timeout
  }

  depends_on = [kubernetes_secret_v1.environment, kubernetes_config_map_v1.authorities, kubernetes_manifest.configuration, kubernetes_manifest.around]
}

resource "kubernetes_manifest" "app" {
  for_each = local.deployments
  manifest = each.value
  # `kubectl rollout restart` writes into the annotations of the pods; the provider would stop at what it did not write.
  computed_fields = ["metadata.labels", "metadata.annotations", "spec.template.metadata.annotations"]

  field_manager {
    force_conflicts = var.force_conflicts
  }
  wait {
    rollout = true
  }
  timeouts {
    create = var.rollout_timeout
    update = var.rollout_timeout
  }

  depends_on = [kubernetes_manifest.migration, kubernetes_secret_v1.edge_keys, kubernetes_secret_v1.edge_tls]
}

# Last, and first to go: the number of pods is the autoscaler's from here on.
resource "kubernetes_manifest" "scaling" {
  for_each = local.scaling
  manifest = each.value

  field_manager {
    force_conflicts = var.force_conflicts
  }

  depends_on = [kubernetes_manifest.app]
}
