output "applied" {
  description = "What is applied, by kind/namespace/name."
  value       = sort(keys(kubernetes_manifest.monitoring))
}
