locals {
  # Where a CronJob has its pods, and where all others have them.
  pods = {
    for key, object in var.objects : key => try(object.spec.jobTemplate.spec.template.spec, object.spec.template.spec, null)
  }

  # A Secret that a container is given as environment is read once, at its start.
  from_environment = {
    for key, pod in local.pods : key => flatten([
      for container in concat(try(pod.containers, []), try(pod.initContainers, [])) : concat(
        [for source in try(container.envFrom, []) : try(source.secretRef.name, [])],
        [for variable in try(container.env, []) : try(variable.valueFrom.secretKeyRef.name, [])],
      )
    ])
  }
  from_volumes = {
    for key, pod in local.pods : key => [
      for volume in try(pod.volumes, []) : volume.secret.secretName if var.include_volumes && can(volume.secret.secretName)
    ]
  }
  names = { for key in keys(var.objects) : key => sort(distinct(concat(local.from_environment[key], local.from_volumes[key]))) }

  # A Job cannot be changed once it is there, and needs no new password when it is done.
  marked = {
    for key, object in var.objects : key => object.kind != "Job" && strcontains(jsonencode(object), trim(local.mark, "{}"))
  }
  mark = jsonencode({ "chart/secrets-checksum" = "unset" })

  checksum = {
    for key, names in local.names : key => sha256(jsonencode([for name in names : lookup(var.checksums, name, "absent")]))
    if local.marked[key]
  }
  unknown = flatten([
    for key, names in local.names : [for name in names : "${name} (${key})" if !contains(keys(var.checksums), name)]
    if local.marked[key]
  ])
}
