# The objects of k8s/rendered/local.yaml, and what becomes of them; no cluster.
mock_provider "kubernetes" {}

variables {
  context = "kind-chart"
  redis_passwords = {
    ingestor   = "ingestor-0123456789"
    aggregator = "aggregator-0123456789"
    persister  = "persister-0123456789"
    auditor    = "auditor-0123456789"
    edge       = "edge-0123456789abc"
    dashboard  = "dashboard-0123456789"
  }
  postgres_passwords = { owner = "owner-0123456789ab", service = "service-0123456789" }
  dashboard_api_key  = "ck_dashboard_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
  api_keys           = "[{\"id\":\"desk-1\",\"sha256\":\"3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b\",\"scopes\":[\"live\"]}]"
}

run "local" {
  command = plan

  assert {
    condition     = sort(concat(keys(module.rendered.policy), keys(module.rendered.data_stores), keys(module.rendered.service), keys(module.rendered.monitoring))) == sort(keys(module.rendered.objects))
    error_message = "The four slices must be all objects, and no object in two of them."
  }
  assert {
    condition     = length(module.rendered.objects) == length(regexall("(?m)^kind: ", file("../../../k8s/rendered/local.yaml")))
    error_message = "An object of the rendered file was lost."
  }
  assert {
    condition = alltrue([
      for key, object in merge(module.data_stores.applied, module.chart_service.applied) :
      replace(jsonencode(object), "/\"chart/secrets-checksum\":\"[0-9a-f]{64}\"/", "\"chart/secrets-checksum\":\"unset\"") == jsonencode(module.rendered.objects[key])
    ])
    error_message = "What is applied differs from what was rendered by more than checksums."
  }
  assert {
    condition = alltrue([
      for key in ["StatefulSet/chart/redis", "StatefulSet/chart/postgres"] : contains(keys(module.data_stores.applied), key)
    ])
    error_message = "Locally Redis and PostgreSQL are in the cluster."
  }
  assert {
    condition = alltrue([
      for key, object in merge(module.data_stores.applied, module.chart_service.applied) :
      !strcontains(jsonencode(object), "\"chart/secrets-checksum\":\"unset\"") if object.kind != "Job"
    ])
    error_message = "An object would not notice when its Secret changes."
  }
  assert {
    condition     = output.objects["Deployment/chart/edge"] == "chart-service" && output.objects["Namespace/chart"] == "namespace" && output.objects["StatefulSet/chart/redis"] == "data-stores"
    error_message = "An object has another owner than is written."
  }
  # The contract of Secrets, which the manifests are checked against as well.
  assert {
    condition = alltrue([
      for text in split("\n---\n", file("../../../k8s/secrets.example.yaml")) :
      join(" ", keys(yamldecode(text).stringData)) == join(" ", try(output.secret_keys[yamldecode(text).metadata.name], []))
      if !contains(["redis", "postgres", "edge-tls"], yamldecode(text).metadata.name)
    ])
    error_message = "k8s/secrets.example.yaml and the Secrets that are made differ in a name or a key."
  }
}

run "another_password_of_the_edge" {
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
    api_keys = "[]"
  }

  assert {
    condition     = join(" ", [for key, checksum in output.checksums : key if checksum != run.local.checksums[key]]) == "Deployment/chart/edge StatefulSet/chart/redis"
    error_message = "A password of the edge in Redis concerns the edge and Redis alone."
  }
}

run "refused" {
  command = plan
  variables {
    context = " "
  }
  expect_failures = [var.context]
}
