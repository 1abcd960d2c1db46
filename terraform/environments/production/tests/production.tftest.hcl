# The objects of k8s/rendered/production.yaml, and what becomes of them; no cluster.
mock_provider "kubernetes" {}

variables {
  context = "production"
  redis_urls = {
    ingestor   = "rediss+cluster://ingestor:ingestor-0123456789@redis.example:6379"
    aggregator = "rediss+cluster://aggregator:aggregator-0123456789@redis.example:6379"
    persister  = "rediss+cluster://persister:persister-0123456789@redis.example:6379"
    auditor    = "rediss+cluster://auditor:auditor-0123456789@redis.example:6379"
    edge       = "rediss+cluster://edge:edge-0123456789abc@redis.example:6379"
    dashboard  = "rediss+cluster://dashboard:dashboard-0123456789@redis.example:6379"
  }
  database_urls = {
    ingestor  = "postgres://chart:service-0123456789@postgres.example:5432/chart?sslmode=verify-full&sslrootcert=/etc/chart/authorities/postgres-ca.pem"
    persister = "postgres://chart:service-0123456789@postgres.example:5432/chart?sslmode=verify-full&sslrootcert=/etc/chart/authorities/postgres-ca.pem"
    auditor   = "postgres://chart:service-0123456789@postgres.example:5432/chart?sslmode=verify-full&sslrootcert=/etc/chart/authorities/postgres-ca.pem"
    edge      = "postgres://chart:service-0123456789@postgres.example:5432/chart?sslmode=verify-full&sslrootcert=/etc/chart/authorities/postgres-ca.pem"
    migrate   = "postgres://chart_owner:owner-0123456789ab@postgres.example:5432/chart?sslmode=verify-full&sslrootcert=/etc/chart/authorities/postgres-ca.pem"
  }
  authorities       = { "postgres-ca.pem" = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n" }
  api_keys          = "[{\"id\":\"desk-1\",\"sha256\":\"3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b\",\"scopes\":[\"live\"]}]"
  dashboard_api_key = "ck_dashboard_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
  edge_authority    = "-----BEGIN CERTIFICATE-----\nEE==\n-----END CERTIFICATE-----\n"
  edge_tls = {
    certificate = "-----BEGIN CERTIFICATE-----\nCC==\n-----END CERTIFICATE-----\n"
    key         = "-----BEGIN PRIVATE KEY-----\nDD==\n-----END PRIVATE KEY-----\n"
  }
}

run "production" {
  command = plan

  assert {
    condition     = sort(concat(keys(module.rendered.policy), keys(module.rendered.service), keys(module.rendered.monitoring))) == sort(keys(module.rendered.objects))
    error_message = "The slices that are applied must be all objects, and no object in two of them."
  }
  assert {
    condition     = length(module.rendered.objects) == length(regexall("(?m)^kind: ", file("../../../k8s/rendered/production.yaml")))
    error_message = "An object of the rendered file was lost."
  }
  assert {
    condition     = length([for object in values(module.rendered.objects) : object if object.kind == "StatefulSet"]) == 0
    error_message = "In production Redis and PostgreSQL are outside of the cluster."
  }
  assert {
    condition = alltrue([
      for key, object in module.chart_service.applied :
      replace(jsonencode(object), "/\"chart/secrets-checksum\":\"[0-9a-f]{64}\"/", "\"chart/secrets-checksum\":\"unset\"") == jsonencode(module.rendered.objects[key])
    ])
    error_message = "What is applied differs from what was rendered by more than checksums."
  }
  assert {
    condition     = length(module.observability.applied) == length(module.rendered.monitoring) && length(module.rendered.monitoring) > 0
    error_message = "Production is watched."
  }
  assert {
    condition     = length([for object in values(module.rendered.service) : object if object.kind == "HorizontalPodAutoscaler" && try(object.spec.minReplicas, 0) >= 3]) == 2
    error_message = "Edge and aggregator have at least one pod in each of three zones."
  }
  assert {
    condition     = module.rendered.objects["Deployment/chart/ingestor"].spec.replicas >= 3 && !can(module.rendered.objects["Deployment/chart/edge"].spec.replicas)
    error_message = "Three ingestors; the number of edges is the autoscaler's."
  }
  assert {
    condition     = contains(keys(output.secret_keys), "edge-tls")
    error_message = "The edges speak TLS."
  }
  assert {
    condition     = module.chart_service.secret_keys["dashboard"] == tolist(["CHART_API_KEY", "REDIS_URL"]) && module.rendered.objects["Deployment/chart/dashboard"].spec.replicas >= 2
    error_message = "Two dashboards, with a key for the edges and no way into PostgreSQL."
  }
}

run "another_password_of_the_ingestor_and_a_certificate_of_cert_manager" {
  command = plan
  variables {
    redis_urls = {
      ingestor   = "rediss+cluster://ingestor:ingestor-another-one@redis.example:6379"
      aggregator = "rediss+cluster://aggregator:aggregator-0123456789@redis.example:6379"
      persister  = "rediss+cluster://persister:persister-0123456789@redis.example:6379"
      auditor    = "rediss+cluster://auditor:auditor-0123456789@redis.example:6379"
      edge       = "rediss+cluster://edge:edge-0123456789abc@redis.example:6379"
      dashboard  = "rediss+cluster://dashboard:dashboard-0123456789@redis.example:6379"
    }
    edge_tls           = null
    monitoring_enabled = false
  }

  assert {
    condition     = join(" ", [for key, checksum in output.checksums : key if checksum != run.production.checksums[key]]) == "Deployment/chart/ingestor"
    error_message = "A password of the ingestor concerns the ingestor alone."
  }
  assert {
    condition     = !contains(keys(output.secret_keys), "edge-tls") && length(module.observability.applied) == 0
    error_message = "cert-manager's Secret is not ours; without the Prometheus operator nothing of its kinds is applied."
  }
}

run "plain_text_is_refused" {
  command = plan
  variables {
    redis_urls = {
      ingestor   = "redis+cluster://ingestor:ingestor-0123456789@redis.example:6379"
      aggregator = "rediss+cluster://aggregator:aggregator-0123456789@redis.example:6379"
      persister  = "rediss+cluster://persister:persister-0123456789@redis.example:6379"
      auditor    = "rediss+cluster://auditor:auditor-0123456789@redis.example:6379"
      edge       = "rediss+cluster://edge:edge-0123456789abc@redis.example:6379"
      dashboard  = "rediss+cluster://dashboard:dashboard-0123456789@redis.example:6379"
    }
    queue_redis_urls = { aggregator = "redis://queue.example", persister = "rediss://queue.example" }
    database_urls = {
      ingestor  = "postgres://chart:service-0123456789@postgres.example:5432/chart?sslmode=require"
      persister = "postgres://chart:service-0123456789@postgres.example:5432/chart?sslmode=verify-full"
      auditor   = "postgres://chart:service-0123456789@postgres.example:5432/chart?sslmode=verify-full"
      edge      = "postgres://chart:service-0123456789@postgres.example:5432/chart?sslmode=verify-full"
      migrate   = "postgres://chart_owner:owner-0123456789ab@postgres.example:5432/chart?sslmode=verify-full"
    }
    api_keys = "[]"
    context  = ""
  }
  expect_failures = [var.redis_urls, var.queue_redis_urls, var.database_urls, var.api_keys, var.context]
}

run "weak_passwords_are_refused" {
  command = plan
  variables {
    redis_urls = {
      ingestor   = "rediss+cluster://redis.example:6379"
      aggregator = "rediss+cluster://aggregator:aggregator-0123456789@redis.example:6379"
      persister  = "rediss+cluster://persister:persister-0123456789@redis.example:6379"
      auditor    = "rediss+cluster://auditor:auditor-0123456789@redis.example:6379"
      edge       = "rediss+cluster://aggregator:aggregator-0123456789@redis.example:6379"
      dashboard  = "rediss+cluster://dashboard:dashboard-0123456789@redis.example:6379"
    }
    database_urls = {
      ingestor  = "postgres://chart:short@postgres.example:5432/chart?sslmode=verify-full"
      persister = "postgres://chart:service-0123456789@postgres.example:5432/chart?sslmode=verify-full"
      auditor   = "postgres://chart:service-0123456789@postgres.example:5432/chart?sslmode=verify-full"
      edge      = "postgres://chart:service-0123456789@postgres.example:5432/chart?sslmode=verify-full"
      migrate   = "postgres://chart_owner:owner-0123456789ab@postgres.example:5432/chart?sslmode=verify-full"
    }
  }
  expect_failures = [var.redis_urls, var.database_urls]
}

run "a_data_store_in_the_cluster_is_refused" {
  command = plan

  override_module {
    target = module.rendered
    outputs = {
      objects     = {}
      policy      = { "Namespace/chart" = { apiVersion = "v1", kind = "Namespace", metadata = { name = "chart", labels = { "pod-security.kubernetes.io/enforce" = "restricted" } } } }
      data_stores = { "StatefulSet/chart/redis" = { kind = "StatefulSet" } }
      service     = {}
      monitoring  = {}
    }
  }
  expect_failures = [output.objects]
}
