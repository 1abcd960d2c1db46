variables {
  checksums = { edge = "e1", ingestor = "i1", shared = "s1", redis = "r1" }
  objects = {
    "Deployment/chart/edge" = {
      kind     = "Deployment"
      metadata = { name = "edge" }
      spec = {
        replicas = 2
        template = {
          metadata = { annotations = { "chart/secrets-checksum" = "unset", "other" = "a <b> & \"c\"" } }
          spec = {
            containers = [{
              name    = "edge"
              envFrom = [{ configMapRef = { name = "service" } }, { secretRef = { name = "edge" } }]
              env     = [{ name = "A", value = "unset" }, { name = "B", valueFrom = { secretKeyRef = { name = "shared", key = "b" } } }]
            }]
            volumes = [{ name = "keys", secret = { secretName = "edge-keys" } }]
          }
        }
      }
    }
    "Deployment/chart/ingestor" = {
      kind     = "Deployment"
      metadata = { name = "ingestor" }
      spec = {
        template = {
          metadata = { annotations = { "chart/secrets-checksum" = "unset" } }
          spec     = { containers = [{ name = "ingestor", envFrom = [{ secretRef = { name = "ingestor" } }] }] }
        }
      }
    }
    "Job/chart/migrate-0.1.0" = {
      kind     = "Job"
      metadata = { name = "migrate-0.1.0" }
      spec = {
        template = {
          metadata = { annotations = { "chart/secrets-checksum" = "unset" } }
          spec     = { containers = [{ name = "migrate", envFrom = [{ secretRef = { name = "shared" } }] }] }
        }
      }
    }
    "CronJob/chart/backup" = {
      kind     = "CronJob"
      metadata = { name = "backup" }
      spec = {
        jobTemplate = { spec = { template = {
          metadata = { annotations = { "chart/secrets-checksum" = "unset" } }
          spec     = { containers = [{ name = "backup", envFrom = [{ secretRef = { name = "shared" } }] }] }
        } } }
      }
    }
    "Service/chart/edge" = { kind = "Service", metadata = { name = "edge" } }
  }
}

run "before" {
  command = plan

  assert {
    condition     = length(output.objects["Deployment/chart/edge"].spec.template.metadata.annotations["chart/secrets-checksum"]) == 64
    error_message = "The word unset should be a SHA-256."
  }
  assert {
    condition     = output.objects["CronJob/chart/backup"].spec.jobTemplate.spec.template.metadata.annotations["chart/secrets-checksum"] == sha256(jsonencode(["s1"]))
    error_message = "A CronJob's pods are one level deeper, and are meant too."
  }
  assert {
    condition     = jsonencode(output.objects["Job/chart/migrate-0.1.0"]) == jsonencode(var.objects["Job/chart/migrate-0.1.0"])
    error_message = "A Job cannot be changed: it must stay as it is."
  }
  assert {
    condition = alltrue([
      for key, object in output.objects :
      replace(jsonencode(object), "/\"chart/secrets-checksum\":\"[0-9a-f]{64}\"/", "\"chart/secrets-checksum\":\"unset\"") == jsonencode(var.objects[key])
    ])
    error_message = "Something besides the checksum has changed."
  }
}

run "another_secret_of_one_app" {
  command = plan
  variables {
    checksums = { edge = "e2", ingestor = "i1", shared = "s1", redis = "r1" }
  }

  assert {
    condition     = jsonencode(output.objects["Deployment/chart/edge"]) != jsonencode(run.before.objects["Deployment/chart/edge"])
    error_message = "The app whose Secret changed keeps its old checksum, and its pods would keep the old password."
  }
  assert {
    condition     = jsonencode(output.objects["Deployment/chart/ingestor"]) == jsonencode(run.before.objects["Deployment/chart/ingestor"])
    error_message = "An app is rolled although none of its Secrets changed."
  }
}

run "a_mounted_secret_is_asked_for_where_it_counts" {
  command = plan
  variables {
    include_volumes = true
  }
  expect_failures = [output.objects]
}

run "a_secret_without_a_checksum_is_refused" {
  command = plan
  variables {
    checksums = { ingestor = "i1", shared = "s1" }
  }
  expect_failures = [output.objects]
}
