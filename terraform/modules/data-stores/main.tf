locals {
  # The probes of Redis log in as this one, who may do nothing else, so its password is no secret (k8s/secrets.example.yaml).
  probe_user = "user probe on >probe -@all +ping"

  # A line of the template says `user edge on >EDGE_PASSWORD …`; the word gives way to the password.
  users_acl = join("", [
    for line in concat(split("\n", chomp(var.users_acl)), [local.probe_user]) : format("%s\n", try(
      replace(line, ">${upper(regex("^user (\\w+) on ", line)[0])}_PASSWORD", ">${var.redis_passwords[regex("^user (\\w+) on ", line)[0]]}"),
      line,
    ))
  ])

  secrets = {
    redis    = { "users.acl" = local.users_acl }
    postgres = { POSTGRES_PASSWORD = var.postgres_passwords.owner, SERVICE_PASSWORD = var.postgres_passwords.service }
  }

  objects       = module.checksums.objects
  configuration = { for key, object in local.objects : key => object if object.kind == "ConfigMap" }
  stateful      = { for key, object in local.objects : key => object if object.kind == "StatefulSet" }
  routine       = { for key, object in local.objects : key => object if contains(["CronJob", "Job"], object.kind) }
  rest          = { for key, object in local.objects : key => object if !contains(["ConfigMap", "StatefulSet", "CronJob", "Job"], object.kind) }
}

# Redis reads its users, and PostgreSQL its first passwords, once: their pods are made anew when these change.
module "checksums" {
  source = "../secret-checksums"

  objects         = var.objects
  checksums       = { for name in ["redis", "postgres"] : name => nonsensitive(sha256(jsonencode(local.secrets[name]))) }
  include_volumes = true
}

resource "kubernetes_secret_v1" "store" {
  for_each = toset(length(var.objects) > 0 ? ["redis", "postgres"] : [])

  metadata {
    name      = each.key
    namespace = var.namespace
    labels = {
      "app.kubernetes.io/name"      = each.key
      "app.kubernetes.io/part-of"   = "chart"
      "app.kubernetes.io/component" = "data-store"
    }
  }
  data = local.secrets[each.key]
}

# ConfigMaps have a hash of their content in the name. The old one goes when the servers have the new one.
resource "kubernetes_manifest" "configuration" {
  for_each = local.configuration
  manifest = each.value

  field_manager {
    force_conflicts = var.force_conflicts
  }
  lifecycle {
    create_before_destroy = true
  }
}

# Services, network policies, claims, service accounts.
resource "kubernetes_manifest" "rest" {
  for_each = local.rest
  manifest = each.value

  field_manager {
    force_conflicts = var.force_conflicts
  }
}

resource "kubernetes_manifest" "stateful" {
  for_each = local.stateful
  manifest = each.value
  # `kubectl rollout restart` writes into the annotations of the pods; the provider would stop at what it did not write.
  computed_fields = ["metadata.labels", "metadata.annotations", "spec.template.metadata.annotations"]

  field_manager {
    force_conflicts = var.force_conflicts
  }
  wait {
    rollout = true
  }
  timeouts {
    create = var.rollout_timeout
    update = var.rollout_timeout
  }

  depends_on = [kubernetes_secret_v1.store, kubernetes_manifest.configuration, kubernetes_manifest.rest]
}

# The backup asks for a server that is there.
resource "kubernetes_manifest" "routine" {
  for_each = local.routine
  manifest = each.value

  field_manager {
    force_conflicts = var.force_conflicts
  }

  depends_on = [kubernetes_manifest.stateful]
}
