variable "kubeconfig" {
  description = "File that says how the cluster is reached."
  type        = string
  default     = "~/.kube/config"
}

variable "context" {
  description = "Context in that file. No default: the current context may be another cluster's."
  type        = string

  validation {
    condition     = length(trimspace(var.context)) > 0
    error_message = "Say which context, as `kubectl config get-contexts` prints them."
  }
}

variable "redis_urls" {
  description = "REDIS_URL of each app, each with a user of its own (libs/redis/users.acl) and over TLS."
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
    condition     = alltrue([for url in values(var.redis_urls) : can(regex("^rediss(\\+cluster|\\+sentinel)?://", url))])
    error_message = "In production Redis is asked over TLS: rediss://, rediss+cluster:// or rediss+sentinel://."
  }

  validation {
    condition     = alltrue([for app, url in var.redis_urls : can(regex("://${app}:[^@]{16,}@", url))])
    error_message = "Each app logs in as the user of its own name, with a password of at least 16 characters (percent-encoded): rediss+cluster://edge:password@host:6379."
  }
}

variable "queue_redis_urls" {
  description = "QUEUE_REDIS_URL of the two apps that know the queue, where it has a Redis of its own."
  type = object({
    aggregator = optional(string)
    persister  = optional(string)
  })
  default   = {}
  sensitive = true

  validation {
    condition     = alltrue([for url in values(var.queue_redis_urls) : url == null ? true : can(regex("^rediss(\\+cluster|\\+sentinel)?://", url))])
    error_message = "In production Redis is asked over TLS: rediss://, rediss+cluster:// or rediss+sentinel://."
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
    condition     = alltrue([for url in values(var.database_urls) : can(regex("[?&]sslmode=verify-full(&|$)", url))])
    error_message = "In production PostgreSQL is asked over TLS and its certificate is checked: …?sslmode=verify-full&sslrootcert=/etc/chart/authorities/postgres-ca.pem."
  }

  validation {
    condition     = alltrue([for url in values(var.database_urls) : can(regex("^postgres(ql)?://[^:@/]+:[^@]{16,}@", url))])
    error_message = "Each has a user and a password of at least 16 characters (percent-encoded)."
  }
}

variable "api_keys" {
  description = "Who may call the edge: a JSON list of entries as `npx chart key ID` prints them."
  type        = string
  sensitive   = true

  validation {
    condition     = try(length(jsondecode(var.api_keys)) > 0, false)
    error_message = "Without a key nobody may call the edge."
  }
}

variable "dashboard_api_key" {
  description = "The key by which the dashboard asks the edges for older bars: the first line that `npx chart key dashboard` prints. It needs no entry in api_keys."
  type        = string
  sensitive   = true
}

variable "edge_tls" {
  description = "Certificate chain and key of the edges, PEM. Null where cert-manager makes the Secret edge-tls (type kubernetes.io/tls)."
  type = object({
    certificate = string
    key         = string
  })
  default   = null
  sensitive = true
}

variable "edge_authority" {
  description = "PEM of who vouches for the edges' certificate, by which the dashboard knows them (the certificate has the name edge.chart too). Null without TLS at the edges."
  type        = string
  default     = null
}

variable "authorities" {
  description = "Certificates of those who vouch for Redis and PostgreSQL, PEM by file name, where the world does not know them."
  type        = map(string)
  default     = {}
}

variable "monitoring_enabled" {
  description = "Whether the cluster has the Prometheus operator. Without it there are no alerts, and the autoscalers have the CPU alone."
  type        = bool
  default     = true
}

variable "force_conflicts" {
  description = "Take fields over that someone has changed by hand. For one run after such a change."
  type        = bool
  default     = false
}
