output "objects" {
  description = "The same objects; in those that are marked the word `unset` is a checksum of the Secrets that their pods read at their start. Nothing else differs."
  value = {
    for key, object in var.objects : key => local.marked[key] ? jsondecode(replace(
      jsonencode(object),
      trim(local.mark, "{}"),
      trim(jsonencode({ "chart/secrets-checksum" = local.checksum[key] }), "{}"),
    )) : object
  }

  precondition {
    condition     = length(local.unknown) == 0
    error_message = "No checksum is known of ${join(", ", local.unknown)}: pods would not notice when such a Secret changes."
  }
}

output "checksums" {
  description = "The checksums that were put in, by kind/namespace/name."
  value       = local.checksum
}
