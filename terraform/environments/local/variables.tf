variable "kubeconfig" {
  description = "File that says how the cluster is reached."
  type        = string
  default     = "~/.kube/config"
}

variable "context" {
  description = "Context in that file, such as kind-chart. No default: the current context may be another cluster's."
  type        = string

  validation {
    condition     = length(trimspace(var.context)) > 0
    error_message = "Say which context, as `kubectl config get-contexts` prints them."
  }
}

variable "redis_passwords" {
  description = "Password of each app in Redis, 16 to 128 letters, digits, dashes and underscores, each another."
  type = object({
    ingestor   = string
    aggregator = string
    persister  = string
    auditor    = string
    edge       = string
    dashboard  = string
  })
  sensitive = true
}

variable "postgres_passwords" {
  description = "Passwords of PostgreSQL: `owner` of the role that owns the tables, `service` of the one that reads and writes bars."
  type = object({
    owner   = string
    service = string
  })
  sensitive = true
}

variable "api_keys" {
  description = "Who may call the edge: a JSON list of entries as `npx chart key ID` prints them."
  type        = string
  sensitive   = true
}

variable "dashboard_api_key" {
  description = "The key by which the dashboard asks the edges for older bars: the first line that `npx chart key dashboard` prints. It needs no entry in api_keys."
  type        = string
  sensitive   = true
}

variable "monitoring_enabled" {
  description = "Whether the cluster has the Prometheus operator, so that monitors and alerts can be applied."
  type        = bool
  default     = false
}

variable "force_conflicts" {
  description = "Take fields over that someone has changed by hand. For one run after such a change."
  type        = bool
  default     = false
}
