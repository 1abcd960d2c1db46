locals {
  postgres_place = "${aws_db_instance.main.address}:5432/chart?sslmode=verify-full&sslrootcert=/etc/chart/authorities/postgres-ca.pem"
  service_url    = "postgres://chart:${var.postgres_passwords.service}@${local.postgres_place}"
  redis_place    = "${aws_elasticache_replication_group.main.configuration_endpoint_address}:6379"
}

output "production" {
  description = "Inputs of environments/production: `terraform output -json production > ../production/aws.auto.tfvars.json`."
  sensitive   = true
  value = {
    redis_urls = {
      ingestor   = "rediss+cluster://ingestor:${var.redis_passwords.ingestor}@${local.redis_place}"
      aggregator = "rediss+cluster://aggregator:${var.redis_passwords.aggregator}@${local.redis_place}"
      persister  = "rediss+cluster://persister:${var.redis_passwords.persister}@${local.redis_place}"
      auditor    = "rediss+cluster://auditor:${var.redis_passwords.auditor}@${local.redis_place}"
      edge       = "rediss+cluster://edge:${var.redis_passwords.edge}@${local.redis_place}"
      dashboard  = "rediss+cluster://dashboard:${var.redis_passwords.dashboard}@${local.redis_place}"
    }
    database_urls = {
      ingestor  = local.service_url
      persister = local.service_url
      auditor   = local.service_url
      edge      = local.service_url
      migrate   = "postgres://${aws_db_instance.main.username}:${var.postgres_passwords.owner}@${local.postgres_place}"
    }
    # Redis' certificates are of an authority that the world knows.
    authorities = { "postgres-ca.pem" = var.postgres_authority }
    context     = aws_eks_cluster.main.arn
  }
}

output "kubeconfig_command" {
  description = "Puts the cluster into the kubeconfig, under the context that environments/production is told."
  value       = "aws eks update-kubeconfig --region ${var.region} --name ${aws_eks_cluster.main.name} --alias ${aws_eks_cluster.main.arn}"
}

output "repositories" {
  description = "Where the images are pushed, by app: `newName` of each in k8s/overlays/production."
  value       = { for app, repository in aws_ecr_repository.app : app => repository.repository_url }
}

output "data_cidrs" {
  description = "Subnets of Redis and PostgreSQL: for k8s/overlays/production/to-redis.yaml and to-postgres.yaml, in the place of the private ranges."
  value       = local.data_cidrs
}

output "exchange_addresses" {
  description = "Addresses that the exchange sees."
  value       = [for address in aws_eip.nat : address.public_ip]
}
