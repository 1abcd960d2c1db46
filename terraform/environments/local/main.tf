# One node, with Redis and PostgreSQL in the cluster. What runs is in k8s/overlays/local; here is in what order it is applied.

module "rendered" {
  source = "../../modules/rendered"

  text = file("${path.module}/../../../k8s/rendered/local.yaml")
}

module "namespace" {
  source = "../../modules/namespace"

  objects         = module.rendered.policy
  force_conflicts = var.force_conflicts
}

module "data_stores" {
  source = "../../modules/data-stores"

  objects            = module.rendered.data_stores
  namespace          = module.namespace.name
  users_acl          = file("${path.module}/../../../libs/redis/users.acl")
  redis_passwords    = var.redis_passwords
  postgres_passwords = var.postgres_passwords
  force_conflicts    = var.force_conflicts

  depends_on = [module.namespace]
}

module "chart_service" {
  source = "../../modules/chart-service"

  objects           = module.rendered.service
  namespace         = module.namespace.name
  redis_urls        = module.data_stores.redis_urls
  database_urls     = module.data_stores.database_urls
  api_keys          = var.api_keys
  dashboard_api_key = var.dashboard_api_key
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
