variable "objects" {
  description = "Rendered objects with the component `monitoring`, by kind/namespace/name."
  type        = any
}

variable "enabled" {
  description = "Whether the cluster has the Prometheus operator, whose kinds these are. Without it nothing is applied."
  type        = bool
}

variable "force_conflicts" {
  description = "Take fields over that someone has changed by hand. For one run after such a change; otherwise a conflict should be seen."
  type        = bool
  default     = false
}
