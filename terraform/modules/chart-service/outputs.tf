output "applied" {
  description = "What is applied, by kind/namespace/name."
  value       = local.objects
}

output "secret_keys" {
  description = "Keys of each Secret that is made, by name, in order. No value."
  value = merge(
    { for name in local.apps : name => sort(keys(nonsensitive({ for key, value in local.environment[name] : key => "" }))) },
    { "edge-keys" = ["keys.json"] },
    { for secret in kubernetes_secret_v1.edge_tls : "edge-tls" => ["tls.crt", "tls.key"] },
  )
}

output "checksums" {
  description = "Checksum of the Secrets that the pods of an object read at their start, by kind/namespace/name. It changes when they do."
  value       = module.checksums.checksums
}
