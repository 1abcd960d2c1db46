variable "objects" {
  description = "Rendered objects with the component `service`, by kind/namespace/name: the six apps and the migration."
  type        = any

  validation {
    condition     = alltrue([for object in values(var.objects) : object.kind != "Secret"])
    error_message = "Secrets are made from inputs, never rendered."
  }

  validation {
    condition = alltrue([
      for scaler in values(var.objects) :
      !can(var.objects["Deployment/${var.namespace}/${scaler.spec.scaleTargetRef.name}"].spec.replicas) if can(scaler.spec.scaleTargetRef.name)
    ])
    error_message = "A Deployment under an autoscaler must not say `replicas`: each apply would set the number back."
  }
}

variable "namespace" {
  description = "Namespace of the Secrets."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "A namespace is small letters, digits and dashes, at most 63."
  }
}

variable "redis_urls" {
  description = "REDIS_URL of each app, each with a user of its own."
  type = object({
    ingestor   = string
    aggregator = string
    persister  = string
    auditor    = string
    edge       = string
    dashboard  = string
  })
  sensitive = true

  validation {
    condition = alltrue([
      for url in values(var.redis_urls) :
      can(regex("^rediss?(\\+cluster)?://([^@/]+@)?[^/?@]+(\\?.*)?$", url)) ||
      can(regex("^rediss?://([^@/]+@)?[^,/?@]+/[0-9]+(\\?.*)?$", url)) ||
      can(regex("^rediss?\\+sentinel://([^@/]+@)?[^/?@]+/[^/?]+(/[0-9]+)?(\\?.*)?$", url))
    ])
    error_message = "Each is redis://user:password@host:6379[/db], redis+cluster://user:password@host:6379,host:6379 or redis+sentinel://user:password@host:26379/master-name; rediss for TLS."
  }
}

variable "queue_redis_urls" {
  description = "QUEUE_REDIS_URL of the two apps that know the queue, where it has a Redis of its own; null: the one above."
  type = object({
    aggregator = optional(string)
    persister  = optional(string)
  })
  default   = {}
  sensitive = true

  validation {
    condition     = (var.queue_redis_urls.aggregator == null) == (var.queue_redis_urls.persister == null)
    error_message = "Give both or none: what the aggregator puts into the queue the persister must find."
  }

  validation {
    condition     = alltrue([for url in values(var.queue_redis_urls) : url == null ? true : can(regex("^rediss?(\\+cluster|\\+sentinel)?://[^ ]+$", url))])
    error_message = "Each is a URL as in redis_urls."
  }
}

variable "database_urls" {
  description = "DATABASE_URL of each app that has one, and of the migration, whose role owns the tables."
  type = object({
    ingestor  = string
    persister = string
    auditor   = string
    edge      = string
    migrate   = string
  })
  sensitive = true

  validation {
    condition     = alltrue([for url in values(var.database_urls) : can(regex("^postgres(ql)?://[^@/ ]+@[^/?@ ]+/[^/? ]+(\\?.*)?$", url))])
    error_message = "Each is postgres://user:password@host:5432/database."
  }

  validation {
    condition = alltrue([
      for app, url in var.database_urls : app == "migrate" ? true : split("@", url)[0] != split("@", var.database_urls.migrate)[0]
    ])
    error_message = "Only the migration logs in as the owner of the tables; the apps have a role that reads and writes bars."
  }
}

variable "api_keys" {
  description = "Who may call the edge: a JSON list of entries as `npx chart key ID` prints them, each with the SHA-256 of a key and never the key."
  type        = string
  sensitive   = true

  validation {
    condition     = can([for entry in jsondecode(var.api_keys) : [entry.id, entry.sha256, entry.scopes]]) && can(regex("^\\s*\\[", var.api_keys))
    error_message = "A JSON list of {\"id\", \"sha256\", \"scopes\"}, as `npx chart key ID` prints them."
  }

  validation {
    condition     = try(alltrue([for entry in jsondecode(var.api_keys) : can(regex("^[A-Za-z0-9-]{1,64}$", entry.id))]), false)
    error_message = "An id is 1 to 64 letters, digits and dashes."
  }

  validation {
    condition     = try(alltrue([for entry in jsondecode(var.api_keys) : can(regex("^[0-9a-fA-F]{64}$", entry.sha256))]), false)
    error_message = "sha256 is 64 hex digits. The key itself does not belong here."
  }

  validation {
    condition = try(alltrue([
      for entry in jsondecode(var.api_keys) : length(entry.scopes) > 0 && length(setsubtract(entry.scopes, ["live", "history"])) == 0
    ]), false)
    error_message = "scopes is a list of live and history."
  }

  validation {
    condition = try(alltrue([
      for entry in jsondecode(var.api_keys) : length(setsubtract(keys(entry), ["id", "sha256", "scopes", "limits", "expires"])) == 0
    ]), false)
    error_message = "Only id, sha256, scopes, limits and expires are known: the edge refuses a file with anything else."
  }

  validation {
    condition     = try(length(distinct([for entry in jsondecode(var.api_keys) : entry.id])) == length(jsondecode(var.api_keys)), false)
    error_message = "Two entries have the same id."
  }
}

variable "dashboard_api_key" {
  description = "The key by which the dashboard asks the edges for older bars, as `npx chart key dashboard` prints it. The edges are told its SHA-256 and the scope `history`."
  type        = string
  sensitive   = true

  validation {
    condition     = can(regex("^ck_[A-Za-z0-9-]{1,64}_[A-Za-z0-9_-]{43}$", var.dashboard_api_key))
    error_message = "The key itself, ck_<id>_<secret>: the first line that `npx chart key dashboard` prints."
  }

  validation {
    condition = try(!contains(
      [for entry in jsondecode(var.api_keys) : entry.id], regex("^ck_([A-Za-z0-9-]{1,64})_", var.dashboard_api_key)[0],
    ), true)
    error_message = "api_keys has an entry with the id of the dashboard's key. Leave it out: it is made of the key."
  }
}

variable "edge_tls" {
  description = "Certificate chain and key of the edges, PEM. Null: the edges speak plain text, or cert-manager makes the Secret edge-tls."
  type = object({
    certificate = string
    key         = string
  })
  default   = null
  sensitive = true

  validation {
    condition     = var.edge_tls == null ? true : can(regex("^-----BEGIN CERTIFICATE-----", trimspace(var.edge_tls.certificate))) && can(regex("^-----BEGIN ([A-Z]+ )?PRIVATE KEY-----", trimspace(var.edge_tls.key)))
    error_message = "certificate begins with -----BEGIN CERTIFICATE-----, key with -----BEGIN PRIVATE KEY----- (or RSA, EC)."
  }
}

variable "authorities" {
  description = "Certificates of those who vouch for Redis, PostgreSQL and the edges, PEM by file name. URLs and settings name them as /etc/chart/authorities/<file name>."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name, pem in var.authorities : can(regex("^[a-z0-9][a-z0-9.-]*\\.pem$", name)) && strcontains(pem, "-----BEGIN CERTIFICATE-----")])
    error_message = "File names end in .pem, contents are PEM certificates."
  }

  validation {
    condition     = alltrue([for pem in values(var.authorities) : !strcontains(pem, "PRIVATE KEY")])
    error_message = "There is a private key among the authorities; only certificates belong there."
  }

  validation {
    condition     = length(jsonencode(var.authorities)) < 1000000
    error_message = "All authorities together must be smaller than 1 MB, which is what a ConfigMap holds."
  }

  # A file that is named and that nobody mounts ends the app at its start, after the rollout has begun.
  validation {
    condition = alltrue([
      for file in flatten([
        for object in values(var.objects) : regexall("/etc/chart/authorities/([a-z0-9.-]+)", jsonencode(object.data)) if object.kind == "ConfigMap"
      ]) : contains(keys(var.authorities), file)
    ])
    error_message = "A setting of k8s/ names a file in /etc/chart/authorities that is not among the authorities (edge-ca.pem: who vouches for the edges' certificate)."
  }

  validation {
    condition = alltrue([
      for file in flatten([
        for url in concat(values(var.redis_urls), values(var.database_urls), [for url in values(var.queue_redis_urls) : url if url != null]) :
        regexall("/etc/chart/authorities/([^&]+)", url)
      ]) : contains(keys(var.authorities), file)
    ])
    error_message = "A URL names a file in /etc/chart/authorities that is not among the authorities."
  }
}

variable "migration_timeout" {
  description = "How long the migration may take, with the time until its pod runs."
  type        = string
  default     = "15m"

  validation {
    condition     = can(regex("^[1-9][0-9]*[ms]$", var.migration_timeout))
    error_message = "A time such as 10m or 90s."
  }
}

variable "rollout_timeout" {
  description = "How long an app's pods may take to be replaced: one after the other, each with its start, and up to 40 s for the old one to end."
  type        = string
  default     = "9m"

  validation {
    condition     = can(regex("^[1-9][0-9]*[ms]$", var.rollout_timeout))
    error_message = "A time such as 9m or 90s."
  }

  # The provider keeps an object whose time is over in the state (hashicorp/terraform-provider-kubernetes, pull request 2163). Once the
  # Deployment itself gives up it may not, and then the next apply stops at an object that it does not know.
  validation {
    condition = try(alltrue([
      for object in values(var.objects) :
      tonumber(trimsuffix(trimsuffix(var.rollout_timeout, "m"), "s")) * (endswith(var.rollout_timeout, "m") ? 60 : 1) < try(object.spec.progressDeadlineSeconds, 600)
      if object.kind == "Deployment"
    ]), true)
    error_message = "It must be shorter than progressDeadlineSeconds of every Deployment (k8s/base/patches/every-app.yaml): raise that first."
  }
}

variable "force_conflicts" {
  description = "Take fields over that someone has changed by hand. For one run after such a change; otherwise a conflict should be seen."
  type        = bool
  default     = false
}
