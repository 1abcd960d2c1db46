output "objects" {
  description = "Each rendered object and the module that applies it, by kind/namespace/name."
  value = merge(
    { for key in keys(module.rendered.policy) : key => "namespace" },
    { for key in keys(module.rendered.data_stores) : key => "data-stores" },
    { for key in keys(module.rendered.service) : key => "chart-service" },
    { for key in keys(module.rendered.monitoring) : key => var.monitoring_enabled ? "observability" : "nobody: monitoring_enabled is false" },
  )
}

output "secret_keys" {
  description = "Keys of each Secret of the service, by name. No value."
  value       = module.chart_service.secret_keys
}

output "checksums" {
  description = "Checksum of the Secrets that the pods of an object read at their start, by kind/namespace/name. Another one rolls them."
  value       = module.chart_service.checksums
}
