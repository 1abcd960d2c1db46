variable "text" {
  description = "What `kubectl kustomize` printed for an overlay: YAML documents with a line of three dashes between them."
  type        = string

  validation {
    condition     = length(regexall("(?m)^kind: \\w+$", var.text)) > 0
    error_message = "The text holds no Kubernetes object. Give it the content of a file in k8s/rendered; `npm run render` makes them."
  }
}
