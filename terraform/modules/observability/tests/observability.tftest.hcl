mock_provider "kubernetes" {}

variables {
  enabled = true
  objects = {
    "PodMonitor/chart/chart"     = { apiVersion = "monitoring.coreos.com/v1", kind = "PodMonitor", metadata = { name = "chart", namespace = "chart" }, spec = { selector = {} } }
    "PrometheusRule/chart/chart" = { apiVersion = "monitoring.coreos.com/v1", kind = "PrometheusRule", metadata = { name = "chart", namespace = "chart" }, spec = { groups = [] } }
  }
}

run "applied_as_they_are" {
  command = plan

  assert {
    condition     = alltrue([for key, object in var.objects : jsonencode(kubernetes_manifest.monitoring[key].manifest) == jsonencode(object)])
    error_message = "An object was changed on its way."
  }
}

run "nothing_without_the_operator" {
  command = plan
  variables {
    enabled = false
  }

  assert {
    condition     = length(output.applied) == 0
    error_message = "Kinds that the cluster does not know fail the whole plan."
  }
}
