mock_provider "kubernetes" {}

variables {
  namespace = "chart"
  users_acl = file("../../../libs/redis/users.acl")
  redis_passwords = {
    ingestor   = "ingestor-0123456789"
    aggregator = "aggregator-0123456789"
    persister  = "persister-0123456789"
    auditor    = "auditor-0123456789"
    edge       = "edge-0123456789abc"
    dashboard  = "dashboard-0123456789"
  }
  postgres_passwords = { owner = "owner-0123456789ab", service = "service-0123456789" }
  objects = {
    "Service/chart/redis"     = { apiVersion = "v1", kind = "Service", metadata = { name = "redis", namespace = "chart" }, spec = { ports = [{ port = 6379 }] } }
    "Service/chart/postgres"  = { apiVersion = "v1", kind = "Service", metadata = { name = "postgres", namespace = "chart" }, spec = { ports = [{ port = 5432 }] } }
    "ConfigMap/chart/redis-1" = { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "redis-1", namespace = "chart" }, data = { "redis.conf" = "appendonly yes\n" } }
    "StatefulSet/chart/redis" = {
      apiVersion = "apps/v1", kind = "StatefulSet", metadata = { name = "redis", namespace = "chart" }
      spec = { template = {
        metadata = { annotations = { "chart/secrets-checksum" = "unset" } }
        spec     = { containers = [{ name = "redis", image = "redis:7-bookworm" }], volumes = [{ name = "users", secret = { secretName = "redis" } }] }
      } }
    }
    "StatefulSet/chart/postgres" = {
      apiVersion = "apps/v1", kind = "StatefulSet", metadata = { name = "postgres", namespace = "chart" }
      spec = { template = {
        metadata = { annotations = { "chart/secrets-checksum" = "unset" } }
        spec     = { containers = [{ name = "postgres", image = "postgres:15-bookworm", envFrom = [{ secretRef = { name = "postgres" } }] }] }
      } }
    }
    "CronJob/chart/backup" = { apiVersion = "batch/v1", kind = "CronJob", metadata = { name = "backup", namespace = "chart" }, spec = { schedule = "7 3 * * *" } }
  }
}

run "stores" {
  command = plan

  assert {
    condition = join(" ", concat(
      keys(kubernetes_manifest.configuration), keys(kubernetes_manifest.rest), keys(kubernetes_manifest.stateful), keys(kubernetes_manifest.routine),
    )) == "ConfigMap/chart/redis-1 Service/chart/postgres Service/chart/redis StatefulSet/chart/postgres StatefulSet/chart/redis CronJob/chart/backup"
    error_message = "Each object is applied once: settings and Services first, then the servers, then the backup."
  }
  assert {
    condition     = kubernetes_secret_v1.store["redis"].data["users.acl"] == "${replace(replace(replace(replace(replace(replace(var.users_acl, "INGESTOR_PASSWORD", "ingestor-0123456789"), "AGGREGATOR_PASSWORD", "aggregator-0123456789"), "PERSISTER_PASSWORD", "persister-0123456789"), "AUDITOR_PASSWORD", "auditor-0123456789"), "EDGE_PASSWORD", "edge-0123456789abc"), "DASHBOARD_PASSWORD", "dashboard-0123456789")}user probe on >probe -@all +ping\n"
    error_message = "users.acl is the project's file with passwords put in and the user of the probes, and nothing else."
  }
  assert {
    condition     = strcontains(file("../../../k8s/secrets.example.yaml"), "    ${reverse(split("\n", trimspace(kubernetes_secret_v1.store["redis"].data["users.acl"])))[0]}\n")
    error_message = "The user of the probes is written otherwise in k8s/secrets.example.yaml."
  }
  assert {
    condition = (
      output.redis_urls.edge == "redis://edge:edge-0123456789abc@redis:6379" &&
      output.database_urls.edge == "postgres://chart:service-0123456789@postgres:5432/chart" &&
      output.database_urls.migrate == "postgres://postgres:owner-0123456789ab@postgres:5432/chart"
    )
    error_message = "Each app logs in as itself, and only the migration as the owner."
  }
}

run "a_new_password_of_redis_rolls_redis_alone" {
  command = plan
  variables {
    redis_passwords = {
      ingestor   = "ingestor-0123456789"
      aggregator = "aggregator-0123456789"
      persister  = "persister-0123456789"
      auditor    = "auditor-0123456789"
      edge       = "edge-another-one-1"
      dashboard  = "dashboard-0123456789"
    }
  }

  assert {
    condition     = jsonencode(kubernetes_manifest.stateful["StatefulSet/chart/redis"].manifest) != jsonencode(run.stores.applied["StatefulSet/chart/redis"])
    error_message = "Redis reads users.acl at its start: its pod must be made anew."
  }
  assert {
    condition     = jsonencode(kubernetes_manifest.stateful["StatefulSet/chart/postgres"].manifest) == jsonencode(run.stores.applied["StatefulSet/chart/postgres"])
    error_message = "PostgreSQL has nothing to do with a password of Redis."
  }
}

run "nothing_where_the_stores_are_outside" {
  command = plan
  variables {
    objects = {}
  }

  assert {
    condition     = length(kubernetes_secret_v1.store) == 0 && length(output.applied) == 0
    error_message = "Without objects there is nothing to make."
  }
}

run "bad_values_are_refused" {
  command = plan
  variables {
    namespace          = "Chart"
    users_acl          = "user default off\n"
    redis_passwords    = { ingestor = "short", aggregator = "aggregator-0123456789", persister = "persister-0123456789", auditor = "auditor-0123456789", edge = "edge-0123456789abc", dashboard = "dashboard-0123456789" }
    postgres_passwords = { owner = "with a blank and @ sign", service = "service-0123456789" }
    rollout_timeout    = "soon"
    objects            = { "Secret/chart/redis" = { apiVersion = "v1", kind = "Secret", metadata = { name = "redis" } } }
  }
  expect_failures = [var.namespace, var.users_acl, var.redis_passwords, var.postgres_passwords, var.rollout_timeout, var.objects]
}

run "shared_passwords_are_refused" {
  command = plan
  variables {
    redis_passwords    = { ingestor = "the-same-for-all-of-them", aggregator = "the-same-for-all-of-them", persister = "the-same-for-all-of-them", auditor = "the-same-for-all-of-them", edge = "the-same-for-all-of-them", dashboard = "the-same-for-all-of-them" }
    postgres_passwords = { owner = "the-same-for-all-of-them", service = "the-same-for-all-of-them" }
  }
  expect_failures = [var.redis_passwords, var.postgres_passwords]
}

run "urls_without_a_service_are_refused" {
  command = plan
  variables {
    objects = { "Service/chart/postgres" = { apiVersion = "v1", kind = "Service", metadata = { name = "postgres", namespace = "chart" } } }
  }
  expect_failures = [output.redis_urls]
}
