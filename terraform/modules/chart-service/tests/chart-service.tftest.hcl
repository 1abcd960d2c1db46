mock_provider "kubernetes" {}

variables {
  namespace = "chart"
  redis_urls = {
    ingestor   = "rediss+cluster://ingestor:pw@redis.example:6379,redis-2.example:6379"
    aggregator = "rediss+cluster://aggregator:pw@redis.example:6379"
    persister  = "redis+sentinel://persister:pw@sentinel.example:26379/main"
    auditor    = "redis://auditor:pw@redis.example:6379/0"
    edge       = "rediss://edge:pw@redis.example?ca=/etc/chart/authorities/redis-ca.pem"
    dashboard  = "rediss://dashboard:pw@redis.example"
  }
  database_urls = {
    ingestor  = "postgres://chart:pw@postgres.example:5432/chart"
    persister = "postgres://chart:pw@postgres.example:5432/chart"
    auditor   = "postgres://chart:pw@postgres.example:5432/chart"
    edge      = "postgres://chart:pw@postgres.example:5432/chart?sslmode=verify-full&sslrootcert=/etc/chart/authorities/postgres-ca.pem"
    migrate   = "postgres://owner:pw@postgres.example:5432/chart"
  }
  api_keys          = "[{\"id\":\"desk-1\",\"sha256\":\"3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b\",\"scopes\":[\"live\"]}]"
  dashboard_api_key = "ck_dashboard_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
  authorities = {
    "redis-ca.pem"    = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
    "postgres-ca.pem" = "-----BEGIN CERTIFICATE-----\nBB==\n-----END CERTIFICATE-----\n"
  }
  edge_tls = {
    certificate = "-----BEGIN CERTIFICATE-----\nCC==\n-----END CERTIFICATE-----\n"
    key         = "-----BEGIN EC PRIVATE KEY-----\nDD==\n-----END EC PRIVATE KEY-----\n"
  }
  objects = {
    "ConfigMap/chart/symbols-1" = { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "symbols-1", namespace = "chart" }, data = { SYMBOLS = "BTCUSDT" } }
    "Service/chart/edge"        = { apiVersion = "v1", kind = "Service", metadata = { name = "edge", namespace = "chart" }, spec = { clusterIP = "None" } }
    "Deployment/chart/edge" = { apiVersion = "apps/v1", kind = "Deployment", metadata = { name = "edge", namespace = "chart" }, spec = { template = {
      metadata = { annotations = { "chart/secrets-checksum" = "unset" } }
      spec     = { containers = [{ name = "edge", envFrom = [{ secretRef = { name = "edge" } }] }], volumes = [{ name = "keys", secret = { secretName = "edge-keys" } }] }
    } } }
    "Deployment/chart/ingestor" = { apiVersion = "apps/v1", kind = "Deployment", metadata = { name = "ingestor", namespace = "chart" }, spec = { replicas = 2, template = {
      metadata = { annotations = { "chart/secrets-checksum" = "unset" } }
      spec     = { containers = [{ name = "ingestor", envFrom = [{ secretRef = { name = "ingestor" } }] }] }
    } } }
    "Job/chart/migrate-0.1.0" = { apiVersion = "batch/v1", kind = "Job", metadata = { name = "migrate-0.1.0", namespace = "chart" }, spec = { template = {
      metadata = { annotations = { "chart/secrets-checksum" = "unset" } }
      spec     = { containers = [{ name = "migrate", envFrom = [{ secretRef = { name = "migrate" } }] }] }
    } } }
    "HorizontalPodAutoscaler/chart/edge" = { apiVersion = "autoscaling/v2", kind = "HorizontalPodAutoscaler", metadata = { name = "edge", namespace = "chart" }, spec = { scaleTargetRef = { apiVersion = "apps/v1", kind = "Deployment", name = "edge" }, maxReplicas = 9 } }
  }
}

run "service" {
  command = plan

  assert {
    condition = join(" ", concat(
      keys(kubernetes_manifest.configuration), keys(kubernetes_manifest.around), keys(kubernetes_manifest.migration),
      keys(kubernetes_manifest.app), keys(kubernetes_manifest.scaling),
    )) == "ConfigMap/chart/symbols-1 Service/chart/edge Job/chart/migrate-0.1.0 Deployment/chart/edge Deployment/chart/ingestor HorizontalPodAutoscaler/chart/edge"
    error_message = "Each object is applied once: settings and what is around the pods, then the migration, then the apps, then their autoscalers."
  }
  assert {
    condition     = kubernetes_manifest.migration["Job/chart/migrate-0.1.0"].wait[0].condition[0].type == "Complete" && alltrue([for app in kubernetes_manifest.app : app.wait[0].rollout])
    error_message = "The apps wait for the migration, and Terraform for the apps."
  }
  assert {
    condition = jsonencode(output.secret_keys) == jsonencode({
      aggregator  = ["REDIS_URL"]
      auditor     = ["DATABASE_URL", "REDIS_URL"]
      dashboard   = ["CHART_API_KEY", "REDIS_URL"]
      edge        = ["DATABASE_URL", "REDIS_URL"]
      "edge-keys" = ["keys.json"]
      "edge-tls"  = ["tls.crt", "tls.key"]
      ingestor    = ["DATABASE_URL", "REDIS_URL"]
      migrate     = ["DATABASE_URL"]
      persister   = ["DATABASE_URL", "REDIS_URL"]
    })
    error_message = "An app is given what it reads and no more."
  }
  assert {
    condition     = kubernetes_secret_v1.environment["edge"].data.REDIS_URL == var.redis_urls.edge && kubernetes_secret_v1.environment["migrate"].data.DATABASE_URL == var.database_urls.migrate
    error_message = "An app is given another's URL."
  }
  assert {
    condition     = kubernetes_secret_v1.edge_tls[0].type == "kubernetes.io/tls" && kubernetes_config_map_v1.authorities[0].data == var.authorities
    error_message = "Certificate and authorities are passed on as they are."
  }
  assert {
    condition = (
      jsondecode(kubernetes_secret_v1.edge_keys.data["keys.json"])[0] == jsondecode(var.api_keys)[0] &&
      jsonencode(slice(jsondecode(kubernetes_secret_v1.edge_keys.data["keys.json"]), 1, 2)) == jsonencode([
        { id = "dashboard", sha256 = sha256("0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"), scopes = ["history"] },
      ])
    )
    error_message = "The edges know the keys that are given and the dashboard's, which is for history alone."
  }
}

run "a_new_url_of_one_app_rolls_that_app_alone" {
  command = plan
  variables {
    redis_urls = {
      ingestor   = "rediss+cluster://ingestor:another@redis.example:6379,redis-2.example:6379"
      aggregator = "rediss+cluster://aggregator:pw@redis.example:6379"
      persister  = "redis+sentinel://persister:pw@sentinel.example:26379/main"
      auditor    = "redis://auditor:pw@redis.example:6379/0"
      edge       = "rediss://edge:pw@redis.example?ca=/etc/chart/authorities/redis-ca.pem"
      dashboard  = "rediss://dashboard:pw@redis.example"
    }
    api_keys         = "[]"
    edge_tls         = null
    queue_redis_urls = { aggregator = "redis://queue.example", persister = "redis://queue.example" }
  }

  assert {
    condition     = jsonencode(output.applied["Deployment/chart/ingestor"]) != jsonencode(run.service.applied["Deployment/chart/ingestor"])
    error_message = "The ingestor's pods would keep the old password."
  }
  assert {
    condition     = alltrue([for key in ["Deployment/chart/edge", "Job/chart/migrate-0.1.0"] : jsonencode(output.applied[key]) == jsonencode(run.service.applied[key])])
    error_message = "Keys and certificates are read again without a restart, a Job is never changed, and another app's password is another app's."
  }
  assert {
    condition     = length(kubernetes_secret_v1.edge_tls) == 0 && output.secret_keys.aggregator[0] == "QUEUE_REDIS_URL" && output.secret_keys.persister[1] == "QUEUE_REDIS_URL"
    error_message = "Without a certificate there is no edge-tls; a Redis of the queue is told to the two that use it."
  }
}

run "new_authorities_roll_the_apps" {
  command = plan
  variables {
    authorities = {
      "redis-ca.pem"    = "-----BEGIN CERTIFICATE-----\nEE==\n-----END CERTIFICATE-----\n"
      "postgres-ca.pem" = "-----BEGIN CERTIFICATE-----\nBB==\n-----END CERTIFICATE-----\n"
    }
  }

  assert {
    condition     = alltrue([for key in ["Deployment/chart/edge", "Deployment/chart/ingestor"] : jsonencode(output.applied[key]) != jsonencode(run.service.applied[key])])
    error_message = "A connection is opened with the authorities of the start."
  }
}

# Bad values, as many as are refused at once: a variable whose check looks at another is checked only when that one is good.

run "refused_1" {
  command = plan
  variables {
    namespace         = "chart_"
    redis_urls        = { ingestor = "http://redis.example", aggregator = "redis://a", persister = "redis://a", auditor = "redis://a", edge = "redis://a", dashboard = "redis://a" }
    queue_redis_urls  = { aggregator = "redis://queue.example" }
    database_urls     = { ingestor = "mysql://a:b@c/d", persister = "postgres://a:b@c/d", auditor = "postgres://a:b@c/d", edge = "postgres://a:b@c/d", migrate = "postgres://o:b@c/d" }
    api_keys          = "not JSON"
    edge_tls          = { certificate = "/etc/tls.crt", key = "/etc/tls.key" }
    migration_timeout = "never"
  }
  expect_failures = [var.namespace, var.redis_urls, var.queue_redis_urls, var.database_urls, var.api_keys, var.edge_tls, var.migration_timeout]
}

run "refused_2" {
  command = plan
  variables {
    redis_urls       = { ingestor = "redis://one,two", aggregator = "redis+cluster://a/0", persister = "redis://a", auditor = "redis://a", edge = "redis://a", dashboard = "redis://a" }
    queue_redis_urls = { aggregator = "amqp://queue.example", persister = "redis://queue.example" }
    database_urls    = { ingestor = "postgres://owner:b@c/d", persister = "postgres://a:b@c/d", auditor = "postgres://a:b@c/d", edge = "postgres://a:b@c/d", migrate = "postgres://owner:b@c/d" }
    api_keys         = "[{\"id\":\"desk_1\",\"sha256\":\"3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b\",\"scopes\":[\"live\"]}]"
    edge_tls         = { certificate = "-----BEGIN CERTIFICATE-----", key = "-----BEGIN CERTIFICATE-----" }
    objects = {
      "Deployment/chart/edge"              = { apiVersion = "apps/v1", kind = "Deployment", metadata = { name = "edge", namespace = "chart" }, spec = { replicas = 3 } }
      "HorizontalPodAutoscaler/chart/edge" = { apiVersion = "autoscaling/v2", kind = "HorizontalPodAutoscaler", metadata = { name = "edge", namespace = "chart" }, spec = { scaleTargetRef = { name = "edge" } } }
    }
  }
  expect_failures = [var.redis_urls, var.queue_redis_urls, var.database_urls, var.api_keys, var.edge_tls, var.objects]
}

run "refused_3" {
  command = plan
  variables {
    api_keys        = "[{\"id\":\"desk-1\",\"sha256\":\"ck_desk-1_the-key-itself\",\"scopes\":[\"live\"]}]"
    authorities     = { "postgres-ca.pem" = "-----BEGIN CERTIFICATE-----" }
    rollout_timeout = "0m"
  }
  expect_failures = [var.api_keys, var.authorities, var.rollout_timeout]
}

run "refused_4" {
  command = plan
  variables {
    authorities = { "redis-ca" = "-----BEGIN CERTIFICATE-----", "redis-ca.pem" = "-----BEGIN CERTIFICATE-----", "postgres-ca.pem" = "-----BEGIN CERTIFICATE-----" }
    api_keys    = "[{\"id\":\"desk-1\",\"sha256\":\"3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b\",\"scopes\":[\"write\"]}]"
  }
  expect_failures = [var.api_keys, var.authorities]
}

run "refused_5" {
  command = plan
  variables {
    authorities = { "redis-ca.pem" = "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----", "postgres-ca.pem" = "-----BEGIN CERTIFICATE-----" }
    api_keys    = "[{\"id\":\"desk-1\",\"sha256\":\"3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b\",\"scopes\":[\"live\"],\"expire\":\"2027-01-31T00:00:00Z\"}]"
  }
  expect_failures = [var.api_keys, var.authorities]
}

run "a_key_is_told_once_and_no_secret_is_rendered" {
  command = plan
  variables {
    objects           = { "Secret/chart/edge" = { apiVersion = "v1", kind = "Secret", metadata = { name = "edge" } } }
    dashboard_api_key = "ck_desk-1_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
  }
  expect_failures = [var.dashboard_api_key, var.objects]
}

run "who_vouches_for_the_edges_is_known_and_the_key_is_one" {
  command = plan
  variables {
    dashboard_api_key = "ck_dashboard_short"
    objects = {
      "ConfigMap/chart/dashboard-1" = { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "dashboard-1", namespace = "chart" }, data = { CHART_TLS_CA_FILE = "/etc/chart/authorities/edge-ca.pem" } }
    }
  }
  expect_failures = [var.authorities, var.dashboard_api_key]
}

run "a_rollout_waits_no_longer_than_its_deployment" {
  command = plan
  variables {
    rollout_timeout = "10m"
  }
  expect_failures = [var.rollout_timeout]
}
