locals {
  namespaces = { for key, object in var.objects : key => object if object.kind == "Namespace" }
  policies   = { for key, object in var.objects : key => object if object.kind != "Namespace" }
}

resource "kubernetes_manifest" "namespace" {
  for_each = local.namespaces
  manifest = each.value

  field_manager {
    force_conflicts = var.force_conflicts
  }
}

# Priority classes and network policies: they are there before the first pod is.
resource "kubernetes_manifest" "policy" {
  for_each = local.policies
  manifest = each.value

  field_manager {
    force_conflicts = var.force_conflicts
  }

  depends_on = [kubernetes_manifest.namespace]
}
