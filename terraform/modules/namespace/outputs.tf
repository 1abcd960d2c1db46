output "name" {
  description = "Name of the namespace."
  value       = one(values(local.namespaces)).metadata.name
}
