variable "objects" {
  description = "Rendered objects with the component `data-store`, by kind/namespace/name. Empty where Redis and PostgreSQL are outside of the cluster."
  type        = any

  validation {
    condition     = alltrue([for object in values(var.objects) : object.kind != "Secret"])
    error_message = "Secrets are made from inputs, never rendered."
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

variable "users_acl" {
  description = "Content of libs/redis/users.acl: a Redis user for each app, with a word such as >EDGE_PASSWORD for its password."
  type        = string

  validation {
    condition     = alltrue([for app in ["ingestor", "aggregator", "persister", "auditor", "edge", "dashboard"] : strcontains(var.users_acl, "user ${app} on >${upper(app)}_PASSWORD ")])
    error_message = "The file lacks a user of the service, or a word such as >EDGE_PASSWORD. Give it libs/redis/users.acl as it is."
  }
}

variable "redis_passwords" {
  description = "Password of each app in Redis."
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
    condition     = alltrue([for password in values(var.redis_passwords) : can(regex("^[A-Za-z0-9_-]{16,128}$", password))])
    error_message = "Each password is 16 to 128 letters, digits, dashes and underscores: it stands in a URL and in a line of an ACL file."
  }

  validation {
    condition     = length(distinct(values(var.redis_passwords))) == 6
    error_message = "Each app has a password of its own, so that one that leaks opens one user."
  }
}

variable "postgres_passwords" {
  description = "Passwords of PostgreSQL: `owner` of the role that owns the tables (migrate), `service` of the one that reads and writes bars."
  type = object({
    owner   = string
    service = string
  })
  sensitive = true

  validation {
    condition     = alltrue([for password in values(var.postgres_passwords) : can(regex("^[A-Za-z0-9_-]{16,128}$", password))])
    error_message = "Each password is 16 to 128 letters, digits, dashes and underscores: it stands in a URL."
  }

  validation {
    condition     = var.postgres_passwords.owner != var.postgres_passwords.service
    error_message = "The owner and the service have passwords of their own, so that an app cannot change tables."
  }
}

variable "database" {
  description = "Name of the database, and of the roles in it, as the rendered PostgreSQL makes them."
  type = object({
    name    = optional(string, "chart")
    owner   = optional(string, "postgres")
    service = optional(string, "chart")
  })
  default = {}
}

variable "rollout_timeout" {
  description = "How long Redis and PostgreSQL may take to become ready: a volume is made, an image fetched, an append-only file read."
  type        = string
  default     = "10m"

  validation {
    condition     = can(regex("^[1-9][0-9]*[ms]$", var.rollout_timeout))
    error_message = "A time such as 10m or 90s."
  }
}

variable "force_conflicts" {
  description = "Take fields over that someone has changed by hand. For one run after such a change; otherwise a conflict should be seen."
  type        = bool
  default     = false
}
