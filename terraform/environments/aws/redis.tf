# ElastiCache with cluster mode. It answers a write before its replica has it, and that is enough: what a lost master had alone is
# appended again from the ingestors' memory or fetched from the exchange by trade id (DESIGN.md). MemoryDB writes to several zones
# first, some milliseconds for each of the two writes that a trade makes, for a promise that the service does not need.

locals {
  # Rights of each app, as the project has them for a Redis of one's own; passwords are given apart.
  rights = {
    for line in split("\n", chomp(file("${path.module}/../../../libs/redis/users.acl"))) :
    regex("^user (\\w+) on >\\w+ (.+)$", line)[0] => regex("^user (\\w+) on >\\w+ (.+)$", line)[1]
    if can(regex("^user (\\w+) on >\\w+ (.+)$", line))
  }
}

resource "aws_security_group" "redis" {
  name        = "${var.name}-redis"
  description = "Redis, from the pods"
  vpc_id      = aws_vpc.main.id
}

resource "aws_vpc_security_group_ingress_rule" "redis" {
  security_group_id            = aws_security_group.redis.id
  referenced_security_group_id = aws_eks_cluster.main.vpc_config[0].cluster_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
}

resource "aws_elasticache_subnet_group" "main" {
  name       = var.name
  subnet_ids = [for subnet in aws_subnet.data : subnet.id]
}

resource "aws_elasticache_parameter_group" "main" {
  name        = "${var.name}-redis7"
  family      = "redis7"
  description = "Cluster mode; nothing is ever evicted"

  parameter {
    name  = "cluster-enabled"
    value = "yes"
  }
  # The service reads this at its start and does not go on with another: an evicted key would be a lost trade.
  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }
}

# A group must have a user of this name; this one may do nothing.
resource "aws_elasticache_user" "default" {
  user_id       = "${var.name}-default"
  user_name     = "default"
  engine        = "redis"
  access_string = "off ~* -@all"

  authentication_mode {
    type = "no-password-required"
  }
}

resource "aws_elasticache_user" "app" {
  for_each = toset(["ingestor", "aggregator", "persister", "auditor", "edge", "dashboard"])

  user_id       = "${var.name}-${each.key}"
  user_name     = each.key
  engine        = "redis"
  access_string = "on ${local.rights[each.key]}"

  authentication_mode {
    type      = "password"
    passwords = compact([var.redis_passwords[each.key], lookup(var.redis_former_passwords, each.key, "")])
  }
}

resource "aws_elasticache_user_group" "main" {
  user_group_id = var.name
  engine        = "redis"
  user_ids      = concat([aws_elasticache_user.default.user_id], [for user in aws_elasticache_user.app : user.user_id])
}

resource "aws_elasticache_replication_group" "main" {
  replication_group_id = var.name
  description          = "Trade logs, live bars, outbox and queue"
  engine               = "redis"
  engine_version       = "7.1"
  node_type            = var.redis.node_type
  port                 = 6379

  cluster_mode               = "enabled"
  num_node_groups            = var.redis.shards
  replicas_per_node_group    = var.redis.replicas_per_shard
  automatic_failover_enabled = true
  multi_az_enabled           = true

  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  at_rest_encryption_enabled = true
  kms_key_id                 = aws_kms_key.main.arn
  user_group_ids             = [aws_elasticache_user_group.main.user_group_id]

  subnet_group_name    = aws_elasticache_subnet_group.main.name
  security_group_ids   = [aws_security_group.redis.id]
  parameter_group_name = aws_elasticache_parameter_group.main.name

  # Nothing restores from a snapshot: an emptied Redis is filled from PostgreSQL and the exchange. A fork for it would only cost memory.
  snapshot_retention_limit   = 0
  auto_minor_version_upgrade = true
  apply_immediately          = false
  maintenance_window         = "tue:04:00-tue:05:00"
}
