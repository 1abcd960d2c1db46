variable "objects" {
  description = "Objects by kind/namespace/name. Those whose pods carry the annotation chart/secrets-checksum with the value `unset` are given a checksum."
  type        = any
}

variable "checksums" {
  description = "By name of a Secret, what changes when its content does. No secret itself."
  type        = map(string)
}

variable "include_volumes" {
  description = "Whether a Secret that is mounted counts too: true for programs that read such a file only once."
  type        = bool
  default     = false
}
