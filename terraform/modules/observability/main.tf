# The kinds are the Prometheus operator's. Terraform asks the cluster for a kind while it plans, so the operator must be there first.
resource "kubernetes_manifest" "monitoring" {
  for_each = { for key, object in var.objects : key => object if var.enabled }
  manifest = each.value

  field_manager {
    force_conflicts = var.force_conflicts
  }
}
