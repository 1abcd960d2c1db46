# From one version to the next: Terraform finds an order in which objects come and go. The answers of a cluster are made up.
mock_provider "kubernetes" {}

variables {
  namespace     = "chart"
  redis_urls    = { ingestor = "redis://r", aggregator = "redis://r", persister = "redis://r", auditor = "redis://r", edge = "redis://r", dashboard = "redis://r" }
  database_urls = { ingestor = "postgres://a:b@c/d", persister = "postgres://a:b@c/d", auditor = "postgres://a:b@c/d", edge = "postgres://a:b@c/d", migrate = "postgres://o:b@c/d" }
  api_keys      = "[]"

  dashboard_api_key = "ck_dashboard_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
  objects = {
    "ConfigMap/chart/symbols-1" = { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "symbols-1", namespace = "chart" }, data = { SYMBOLS = "BTCUSDT" } }
    "Service/chart/edge"        = { apiVersion = "v1", kind = "Service", metadata = { name = "edge", namespace = "chart" }, spec = { clusterIP = "None" } }
    "Job/chart/migrate-0.1.0"   = { apiVersion = "batch/v1", kind = "Job", metadata = { name = "migrate-0.1.0", namespace = "chart" }, spec = { backoffLimit = 3 } }
    "Deployment/chart/auditor"  = { apiVersion = "apps/v1", kind = "Deployment", metadata = { name = "auditor", namespace = "chart" }, spec = { replicas = 1 } }
    "Deployment/chart/ingestor" = { apiVersion = "apps/v1", kind = "Deployment", metadata = { name = "ingestor", namespace = "chart" }, spec = { replicas = 2, template = { spec = { volumes = [{ configMap = { name = "symbols-1" } }] } } } }
  }
}

run "one_version" {
  command = apply
}

run "the_next" {
  command = apply
  variables {
    objects = {
      "ConfigMap/chart/symbols-2" = { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "symbols-2", namespace = "chart" }, data = { SYMBOLS = "BTCUSDT,ETHUSDT" } }
      "Job/chart/migrate-0.2.0"   = { apiVersion = "batch/v1", kind = "Job", metadata = { name = "migrate-0.2.0", namespace = "chart" }, spec = { backoffLimit = 3 } }
      "Deployment/chart/ingestor" = { apiVersion = "apps/v1", kind = "Deployment", metadata = { name = "ingestor", namespace = "chart" }, spec = { replicas = 2, template = { spec = { volumes = [{ configMap = { name = "symbols-2" } }] } } } }
    }
  }

  assert {
    condition     = join(" ", concat(keys(kubernetes_manifest.configuration), keys(kubernetes_manifest.migration), keys(kubernetes_manifest.app))) == "ConfigMap/chart/symbols-2 Job/chart/migrate-0.2.0 Deployment/chart/ingestor"
    error_message = "What is not rendered any more must go."
  }
}
