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

  owners   = ["policy", "data-store", "service", "monitoring"]
  unowned  = [for key, component in local.component : key if !contains(local.owners, component)]
  nullable = [for key, object in local.by_key : key if can(regex(":null[,}]", jsonencode(object)))]

  # The API server answers 500m to 0.5, 1 to 1000m and 1Gi to 1024Mi, and the provider takes another answer for a fault of its own.
  quantity  = "(?:cpu|memory|storage|ephemeral-storage|averageValue|limits\\.\\w+|requests\\.\\w+)"
  amount    = "(?:\\d*\\.\\d+\\w*|\\d*000m|(?:1024|2048|3072|4096|5120|6144|7168|8192)[KMG]i)"
  unsettled = distinct(flatten(regexall("(?m)^\\s*(?:- )?(${local.quantity}: [\"']?${local.amount}[\"']?)\\s*$", var.text)))
}
