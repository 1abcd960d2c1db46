variable "objects" {
  description = "Rendered objects with the component `policy`, by kind/namespace/name: one Namespace and what holds for all of it."
  type        = any

  validation {
    condition     = length([for object in values(var.objects) : object if object.kind == "Namespace"]) == 1
    error_message = "There must be exactly one Namespace among the objects."
  }

  validation {
    condition = alltrue([
      for object in values(var.objects) : object.metadata.labels["pod-security.kubernetes.io/enforce"] == "restricted" if object.kind == "Namespace"
    ])
    error_message = "The Namespace must enforce Pod Security restricted (label pod-security.kubernetes.io/enforce)."
  }
}

variable "force_conflicts" {
  description = "Take fields over that someone has changed by hand. For one run after such a change; otherwise a conflict should be seen."
  type        = bool
  default     = false
}
