variable "name" {
  description = "Name of the cluster, and what all names begin with."
  type        = string
  default     = "chart"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,18}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "2 to 20 small letters, digits and single dashes, a letter first: names of Redis users and databases begin with it."
  }
}

variable "region" {
  description = "Where all of it is, such as ap-northeast-1. Near the exchange's servers a trade is known some milliseconds earlier."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "A region such as eu-central-1."
  }
}

variable "zones" {
  description = "Three availability zones of the region. Nodes, Redis and PostgreSQL are spread over them."
  type        = list(string)

  validation {
    condition     = length(distinct(var.zones)) == 3 && length(var.zones) == 3
    error_message = "Three different zones: with two, the loss of one leaves no majority."
  }

  validation {
    condition     = alltrue([for zone in var.zones : startswith(zone, var.region)])
    error_message = "A zone's name begins with the region's, such as eu-central-1a."
  }
}

variable "vpc_cidr" {
  description = "Addresses of the network, a private /16. k8s/overlays/production lets the apps reach Redis and PostgreSQL in private ranges only."
  type        = string
  default     = "10.20.0.0/16"

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && can(regex("^(10\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.|192\\.168\\.).*/16$", var.vpc_cidr))
    error_message = "A private /16 such as 10.20.0.0/16; subnets are cut out of it."
  }
}

variable "nat_per_zone" {
  description = "A way out for each zone. With one for all, the loss of its zone cuts every ingestor from the exchange."
  type        = bool
  default     = true
}

variable "kubernetes_version" {
  description = "Version of the cluster, one under standard support, raised by one minor at a time. When that support ends, AWS upgrades by itself, and a plan for the former version fails."
  type        = string
  default     = "1.35"

  validation {
    condition     = can(regex("^1\\.(3[0-9])$", var.kubernetes_version))
    error_message = "A minor version from 1.30 on, such as 1.35."
  }
}

variable "administrators" {
  description = "Amazon resource names of the IAM roles or users that administer the cluster, the one that applies environments/production among them."
  type        = list(string)

  validation {
    condition     = length(var.administrators) > 0 && alltrue([for arn in var.administrators : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/.+$", arn))])
    error_message = "At least one arn:aws:iam::123456789012:role/name. Who creates the cluster has no rights in it by that alone."
  }
}

variable "api_allowed_cidrs" {
  description = "Addresses from which the cluster's API is reached over the internet. Empty: from inside of the network only."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.api_allowed_cidrs : can(cidrhost(cidr, 0)) && !endswith(cidr, "/0")])
    error_message = "Ranges such as 203.0.113.0/24, and not the whole internet."
  }
}

variable "nodes" {
  description = "Type of the nodes and how many; at least three, one for each zone. An edge with 1,000 streams is about a core."
  type = object({
    instance_types = optional(list(string), ["m7i.xlarge"])
    min            = optional(number, 3)
    max            = optional(number, 9)
  })
  default = {}

  validation {
    condition     = var.nodes.min >= 3 && var.nodes.max >= var.nodes.min
    error_message = "At least three nodes, and no fewer at most than at least."
  }
}

variable "redis" {
  description = "Type of a Redis node, number of shards (the 32 partitions are spread over them), and replicas of each."
  type = object({
    node_type          = optional(string, "cache.r7g.large")
    shards             = optional(number, 3)
    replicas_per_shard = optional(number, 1)
  })
  default = {}

  validation {
    condition     = var.redis.shards >= 1 && var.redis.shards <= 32 && var.redis.replicas_per_shard >= 1 && var.redis.replicas_per_shard <= 5
    error_message = "1 to 32 shards (there are 32 partitions), and 1 to 5 replicas of each: without one a lost node takes its partitions with it."
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
    error_message = "Each password is 16 to 128 letters, digits, dashes and underscores (ElastiCache takes no fewer and no more)."
  }

  validation {
    condition     = length(distinct(values(var.redis_passwords))) == 6
    error_message = "Each app has a password of its own, so that one that leaks opens one user."
  }
}

variable "redis_former_passwords" {
  description = "While a password is rotated: the former one by app, which Redis takes as well until the apps have the new one. Then leave it out again."
  type        = map(string)
  default     = {}
  sensitive   = true

  validation {
    condition     = length(setsubtract(keys(var.redis_former_passwords), ["ingestor", "aggregator", "persister", "auditor", "edge", "dashboard"])) == 0
    error_message = "Names are those of the apps."
  }

  validation {
    condition     = alltrue([for app, password in var.redis_former_passwords : can(regex("^[A-Za-z0-9_-]{16,128}$", password))])
    error_message = "Each password is 16 to 128 letters, digits, dashes and underscores."
  }
}

variable "postgres" {
  description = "PostgreSQL: type, GiB at first and at most, days of backups, and whether it may be destroyed."
  type = object({
    instance_class      = optional(string, "db.m7g.large")
    storage_gib         = optional(number, 100)
    storage_max_gib     = optional(number, 1000)
    backup_days         = optional(number, 14)
    deletion_protection = optional(bool, true)
  })
  default = {}

  validation {
    condition     = var.postgres.storage_max_gib >= var.postgres.storage_gib && var.postgres.storage_gib >= 20
    error_message = "At least 20 GiB, and no fewer at most than at first."
  }

  validation {
    condition     = var.postgres.backup_days >= 7 && var.postgres.backup_days <= 35
    error_message = "7 to 35 days of backups: a wrong migration may be noticed after a week."
  }
}

variable "postgres_passwords" {
  description = "Passwords of PostgreSQL: `owner` of the role that owns the tables (it is made here), `service` of the one that you make after the first apply (README)."
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

variable "postgres_authority" {
  description = "PEM of those who vouch for RDS in the region (the provider publishes a bundle for each region; the world does not know them). Not secret."
  type        = string

  validation {
    condition     = strcontains(var.postgres_authority, "-----BEGIN CERTIFICATE-----") && !strcontains(var.postgres_authority, "PRIVATE KEY")
    error_message = "PEM certificates, and no key."
  }
}
