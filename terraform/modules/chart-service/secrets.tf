locals {
  labels = { for name in concat(local.apps, ["edge-keys", "edge-tls", "authorities"]) : name => {
    "app.kubernetes.io/name"      = split("-", name)[0]
    "app.kubernetes.io/part-of"   = "chart"
    "app.kubernetes.io/component" = "service"
  } }
}

resource "kubernetes_secret_v1" "environment" {
  for_each = toset(local.apps)

  metadata {
    name      = each.key
    namespace = var.namespace
    labels    = local.labels[each.key]
  }
  data = local.environment[each.key]
}

# Mounted, and read again when it changes: no pod is made anew for a key.
resource "kubernetes_secret_v1" "edge_keys" {
  metadata {
    name      = "edge-keys"
    namespace = var.namespace
    labels    = local.labels["edge-keys"]
  }
  data = { "keys.json" = jsonencode(concat(jsondecode(var.api_keys), [local.dashboard_entry])) }
}

# The same for a certificate. Where cert-manager makes it, there is none here.
resource "kubernetes_secret_v1" "edge_tls" {
  count = nonsensitive(var.edge_tls == null) ? 0 : 1

  metadata {
    name      = "edge-tls"
    namespace = var.namespace
    labels    = local.labels["edge-tls"]
  }
  type = "kubernetes.io/tls"
  data = { "tls.crt" = var.edge_tls.certificate, "tls.key" = var.edge_tls.key }
}

# Public certificates, so no Secret. URLs name its files.
resource "kubernetes_config_map_v1" "authorities" {
  count = length(var.authorities) == 0 ? 0 : 1

  metadata {
    name      = "authorities"
    namespace = var.namespace
    labels    = local.labels["authorities"]
  }
  data = var.authorities
}
