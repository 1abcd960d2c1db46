# Redis and PostgreSQL are outside of the cluster. What runs is in k8s/overlays/production; here is in what order it is applied.

module "rendered" {
  source = "../../modules/rendered"

  text = file("${path.module}/../../../k8s/rendered/production.yaml")
}

module "namespace" {
  source = "../../modules/namespace"

  objects         = module.rendered.policy
  force_conflicts = var.force_conflicts
}

module "chart_service" {
  source = "../../modules/chart-service"

  objects           = module.rendered.service
  namespace         = module.namespace.name
  redis_urls        = var.redis_urls
  queue_redis_urls  = var.queue_redis_urls
  database_urls     = var.database_urls
  api_keys          = var.api_keys
  dashboard_api_key = var.dashboard_api_key
  edge_tls          = var.edge_tls
  authorities       = merge(var.authorities, var.edge_authority == null ? {} : { "edge-ca.pem" = var.edge_authority })
  force_conflicts   = var.force_conflicts

  depends_on = [module.namespace]
}

module "observability" {
  source = "../../modules/observability"

  objects         = module.rendered.monitoring
  enabled         = var.monitoring_enabled
  force_conflicts = var.force_conflicts

  depends_on = [module.namespace]
}
