mock_provider "kubernetes" {}

variables {
  objects = {
    "Namespace/chart"                      = { apiVersion = "v1", kind = "Namespace", metadata = { name = "chart", labels = { "pod-security.kubernetes.io/enforce" = "restricted" } } }
    "PriorityClass/chart-edge"             = { apiVersion = "scheduling.k8s.io/v1", kind = "PriorityClass", metadata = { name = "chart-edge" }, value = 1000 }
    "NetworkPolicy/chart/default-deny-all" = { apiVersion = "networking.k8s.io/v1", kind = "NetworkPolicy", metadata = { name = "default-deny-all", namespace = "chart" }, spec = { podSelector = {}, policyTypes = ["Ingress", "Egress"] } }
  }
}

run "all_are_applied_as_they_are" {
  command = plan

  assert {
    condition     = output.name == "chart"
    error_message = "The others are told the namespace's name."
  }
  assert {
    condition     = keys(kubernetes_manifest.namespace) == ["Namespace/chart"] && length(kubernetes_manifest.policy) == 2
    error_message = "The Namespace goes first, the rest after it, nothing twice."
  }
  assert {
    condition     = alltrue([for key, resource in merge(kubernetes_manifest.namespace, kubernetes_manifest.policy) : jsonencode(resource.manifest) == jsonencode(var.objects[key])])
    error_message = "An object was changed on its way."
  }
}

run "no_namespace_is_refused" {
  command = plan
  variables {
    objects = {
      "PriorityClass/chart-edge" = { apiVersion = "scheduling.k8s.io/v1", kind = "PriorityClass", metadata = { name = "chart-edge" }, value = 1000 }
    }
  }
  expect_failures = [var.objects]
}

run "pods_that_may_do_everything_are_refused" {
  command = plan
  variables {
    objects = {
      "Namespace/chart" = { apiVersion = "v1", kind = "Namespace", metadata = { name = "chart", labels = { "pod-security.kubernetes.io/enforce" = "privileged" } } }
    }
  }
  expect_failures = [var.objects]
}
