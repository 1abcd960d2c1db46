output "objects" {
  description = "Each rendered object and the module that applies it, by kind/namespace/name."
  value = merge(
    { for key in keys(module.rendered.policy) : key => "namespace" },
    { for key in keys(module.rendered.service) : key => "chart-service" },
    { for key in keys(module.rendered.monitoring) : key => var.monitoring_enabled ? "observability" : "nobody: monitoring_enabled is false" },
  )

  # Nobody here would apply one, and Redis beside the apps would be no production.
  precondition {
    condition     = length(module.rendered.data_stores) == 0
    error_message = "k8s/overlays/production has data stores, which are outside of the cluster there: ${join(", ", keys(module.rendered.data_stores))}."
  }
}

output "secret_keys" {
  description = "Keys of each Secret of the service, by name. No value."
  value       = module.chart_service.secret_keys
}

output "checksums" {
  description = "Checksum of the Secrets that the pods of an object read at their start, by kind/namespace/name. Another one rolls them."
  value       = module.chart_service.checksums
}
