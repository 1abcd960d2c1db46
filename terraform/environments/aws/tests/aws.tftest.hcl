# The provider's own schema and checks of values; nothing is made.
mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/of-a-test" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000" }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-00000000000000000", latest_version = 1 }
  }
  mock_resource "aws_eks_cluster" {
    defaults = { arn = "arn:aws:eks:eu-central-1:123456789012:cluster/chart" }
  }
  mock_data "aws_eks_addon_version" {
    defaults = { version = "v1.35.0-eksbuild.1" }
  }
  mock_resource "aws_elasticache_replication_group" {
    defaults = { configuration_endpoint_address = "clustercfg.chart.example" }
  }
  mock_resource "aws_db_instance" {
    defaults = { address = "chart.rds.example" }
  }
}

variables {
  region         = "eu-central-1"
  zones          = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  administrators = ["arn:aws:iam::123456789012:role/operators"]
  redis_passwords = {
    ingestor   = "ingestor-0123456789"
    aggregator = "aggregator-0123456789"
    persister  = "persister-0123456789"
    auditor    = "auditor-0123456789"
    edge       = "edge-0123456789abc"
    dashboard  = "dashboard-0123456789"
  }
  postgres_passwords = { owner = "owner-0123456789ab", service = "service-0123456789" }
  postgres_authority = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
}

run "cloud" {
  command = apply

  # Network
  assert {
    condition = length(distinct(concat(
      [for subnet in aws_subnet.private : subnet.cidr_block], [for subnet in aws_subnet.public : subnet.cidr_block], [for subnet in aws_subnet.data : subnet.cidr_block],
    ))) == 9
    error_message = "Three kinds of subnets in three zones, no two with the same addresses."
  }
  assert {
    condition     = toset(output.data_cidrs) == toset([for subnet in aws_subnet.data : subnet.cidr_block])
    error_message = "The network policies are told where Redis and PostgreSQL are."
  }
  assert {
    condition     = length(aws_nat_gateway.main) == 3 && length(aws_route_table.data.route) == 0
    error_message = "Each zone has a way out of its own; data has none."
  }

  # Cluster
  assert {
    condition     = !aws_eks_cluster.main.vpc_config[0].endpoint_public_access && aws_eks_cluster.main.vpc_config[0].endpoint_private_access
    error_message = "The API is private unless addresses are named."
  }
  assert {
    condition     = aws_eks_cluster.main.encryption_config[0].resources == toset(["secrets"]) && aws_launch_template.node.metadata_options[0].http_tokens == "required" && aws_launch_template.node.metadata_options[0].http_put_response_hop_limit == 1
    error_message = "Secrets are encrypted, and pods cannot take the node's credentials."
  }
  assert {
    condition     = jsondecode(aws_eks_addon.before_nodes["vpc-cni"].configuration_values).enableNetworkPolicy == "true"
    error_message = "Without this, the network policies of k8s/ are words."
  }
  assert {
    condition = alltrue([
      for addon in concat(values(aws_eks_addon.before_nodes), values(aws_eks_addon.on_nodes)) :
      addon.addon_version == "v1.35.0-eksbuild.1" && data.aws_eks_addon_version.of_cluster[addon.addon_name].kubernetes_version == aws_eks_cluster.main.version
    ])
    error_message = "Addons go with the version of the cluster."
  }

  # Redis
  assert {
    condition = (
      aws_elasticache_replication_group.main.cluster_mode == "enabled" &&
      aws_elasticache_replication_group.main.transit_encryption_mode == "required" &&
      aws_elasticache_replication_group.main.at_rest_encryption_enabled == "true" &&
      aws_elasticache_replication_group.main.multi_az_enabled &&
      aws_elasticache_replication_group.main.engine_version == "7.1"
    )
    error_message = "Redis 7 (sharded channels), cluster mode, TLS, two zones."
  }
  assert {
    condition     = contains([for parameter in aws_elasticache_parameter_group.main.parameter : "${parameter.name}=${parameter.value}"], "maxmemory-policy=noeviction")
    error_message = "The service does not start on a Redis that evicts."
  }
  assert {
    condition = alltrue([
      for app, user in aws_elasticache_user.app :
      strcontains(file("../../../libs/redis/users.acl"), "user ${app} on >${upper(app)}_PASSWORD ${trimprefix(user.access_string, "on ")}\n")
    ]) && length(aws_elasticache_user.app) == 6
    error_message = "Rights are those of libs/redis/users.acl."
  }
  assert {
    condition     = length(aws_elasticache_user_group.main.user_ids) == 7 && startswith(aws_elasticache_user.default.access_string, "off ")
    error_message = "Six users of the service, and a default one that may do nothing."
  }
  assert {
    condition     = !anytrue([for user in aws_elasticache_user.app : strcontains(user.access_string, ">") || strcontains(user.access_string, "PASSWORD")])
    error_message = "ElastiCache refuses a password among the rights."
  }

  # PostgreSQL
  assert {
    condition = (
      aws_db_instance.main.multi_az && aws_db_instance.main.storage_encrypted && aws_db_instance.main.deletion_protection &&
      !aws_db_instance.main.publicly_accessible && !aws_db_instance.main.skip_final_snapshot && aws_db_instance.main.backup_retention_period >= 7
    )
    error_message = "PostgreSQL is in two zones, encrypted, backed up, protected, and not in public."
  }
  assert {
    condition     = contains([for parameter in aws_db_parameter_group.main.parameter : "${parameter.name}=${parameter.value}"], "rds.force_ssl=1")
    error_message = "Plain text must be refused."
  }

  # What environments/production is given
  assert {
    condition     = output.production.redis_urls.edge == "rediss+cluster://edge:edge-0123456789abc@clustercfg.chart.example:6379"
    error_message = "Each app logs into Redis as itself, over TLS, by the cluster's form."
  }
  assert {
    condition = (
      output.production.database_urls.edge == "postgres://chart:service-0123456789@chart.rds.example:5432/chart?sslmode=verify-full&sslrootcert=/etc/chart/authorities/postgres-ca.pem" &&
      startswith(output.production.database_urls.migrate, "postgres://chart_owner:owner-0123456789ab@")
    )
    error_message = "The apps are the service's role, the migration is the owner."
  }
  assert {
    condition     = alltrue([for name in keys(output.production) : strcontains(file("../production/variables.tf"), "variable \"${name}\" {")])
    error_message = "environments/production has no such input."
  }
  assert {
    condition     = keys(output.repositories) == ["aggregator", "auditor", "dashboard", "edge", "ingestor", "persister"]
    error_message = "Each app has a repository for its image."
  }
}

run "one_way_out_a_public_api_and_a_rotated_password" {
  command = plan
  variables {
    redis_former_passwords = { edge = "edge-the-former-one" }
    nat_per_zone           = false
    api_allowed_cidrs      = ["203.0.113.0/24"]
  }

  assert {
    condition     = length(aws_nat_gateway.main) == 1 && length(aws_route_table.private) == 3
    error_message = "One NAT for all zones."
  }
  assert {
    condition     = aws_eks_cluster.main.vpc_config[0].endpoint_public_access && aws_eks_cluster.main.vpc_config[0].public_access_cidrs == toset(["203.0.113.0/24"])
    error_message = "The API is open to the named addresses alone."
  }
  assert {
    condition     = length(aws_elasticache_user.app["edge"].authentication_mode[0].passwords) == 2 && length(aws_elasticache_user.app["auditor"].authentication_mode[0].passwords) == 1
    error_message = "While a password is rotated, Redis takes both."
  }
}

run "refused_1" {
  command = plan
  variables {
    name               = "Chart"
    region             = "Frankfurt"
    vpc_cidr           = "8.8.0.0/16"
    kubernetes_version = "1.21"
    administrators     = []
    api_allowed_cidrs  = ["0.0.0.0/0"]
    nodes              = { min = 1 }
    redis              = { replicas_per_shard = 0 }
    redis_passwords    = { ingestor = "short", aggregator = "aggregator-0123456789", persister = "persister-0123456789", auditor = "auditor-0123456789", edge = "edge-0123456789abc", dashboard = "dashboard-0123456789" }
    postgres           = { storage_gib = 100, storage_max_gib = 50 }
    postgres_passwords = { owner = "a/b@c with blanks", service = "service-0123456789" }
    postgres_authority = "rds-bundle.pem"
  }
  expect_failures = [
    var.name, var.region, var.vpc_cidr, var.kubernetes_version, var.administrators, var.api_allowed_cidrs, var.nodes, var.redis,
    var.redis_passwords, var.postgres, var.postgres_passwords, var.postgres_authority,
  ]
}

run "refused_2" {
  command = plan
  variables {
    redis_former_passwords = { edges = "edge-the-former-one" }
    zones                  = ["eu-central-1a", "eu-central-1b", "eu-central-1b"]
    vpc_cidr               = "10.20.0.0/24"
    administrators         = ["operators"]
    api_allowed_cidrs      = ["anywhere"]
    nodes                  = { min = 6, max = 3 }
    redis                  = { shards = 33 }
    redis_passwords        = { ingestor = "the-same-for-all-of-them", aggregator = "the-same-for-all-of-them", persister = "the-same-for-all-of-them", auditor = "the-same-for-all-of-them", edge = "the-same-for-all-of-them", dashboard = "the-same-for-all-of-them" }
    postgres               = { backup_days = 1 }
    postgres_passwords     = { owner = "the-same-for-all-of-them", service = "the-same-for-all-of-them" }
    postgres_authority     = "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----"
  }
  expect_failures = [
    var.zones, var.vpc_cidr, var.redis_former_passwords, var.administrators, var.api_allowed_cidrs, var.nodes, var.redis,
    var.redis_passwords, var.postgres, var.postgres_passwords, var.postgres_authority,
  ]
}

run "refused_3" {
  command = plan
  variables {
    redis_former_passwords = { edge = "short" }
    name                   = "chart--two"
    zones                  = ["us-east-1a", "us-east-1b", "us-east-1c"]
  }
  expect_failures = [var.name, var.zones, var.redis_former_passwords]
}
