locals {
  # A line of three dashes at the margin only ever parts documents: block text is indented. Splitting takes the newline that a
  # text at a document's end may need. A document of comments alone is null.
  decoded = [for text in split("\n---\n", "\n${var.text}") : yamldecode("${text}\n")]
  objects = [for object in local.decoded : object if object != null]

  # Kind, namespace and name are what an object is known by, in this order; kind and name where it belongs to the whole cluster.
  by_key = {
    for object in local.objects :
    join("/", compact([object.kind, try(object.metadata.namespace, ""), object.metadata.name])) => object
  }

  component = { for key, object in local.by_key : key => try(object.metadata.labels["app.kubernetes.io/component"], "") }

  owners  = ["policy", "data-store", "service", "monitoring"]
  unowned = [for key, component in local.component : key if !contains(local.owners, component)]

  # The provider holds the API's answer against what it sent, and takes a difference for a fault of its own, after the change was
  # made. So what the API gives back otherwise is refused here. First: what it leaves out, being nothing or the zero of a field.
  left_out = join("|", [
    "[^\\\\]\":(?:null|\\[\\])[,}]",
    "\"emptyDir\":\\{\\}",
    "\"(?:hostNetwork|hostPID|hostIPC|publishNotReadyAddresses|readOnly|stdin|tty|paused)\":false",
    "\"(?:minReadySeconds|initialDelaySeconds)\":0[,}]",
    "\"value\":\"\"",
  ])
  hollow = [for key, object in local.by_key : key if can(regex(local.left_out, jsonencode(object)))]

  # Then what it writes in another form: 500m for 0.5, 1 for 1000m, 1k for 1000, 1Gi for 1024Mi.
  quantity  = "(?:cpu|memory|storage|ephemeral-storage|sizeLimit|averageValue|limits\\.\\w+|requests\\.\\w+)"
  amount    = "(?:\\d*\\.\\d+\\w*|\\d*000m?|(?:1024|2048|3072|4096|5120|6144|7168|8192)[KMG]i)"
  unsettled = distinct(flatten(regexall("(?m)^\\s*(?:- )?(${local.quantity}: [\"']?${local.amount}[\"']?)\\s*$", var.text)))
}
