terraform {
  required_version = ">= 1.9"
}

variable "environment" {
  type    = string
  default = "staging"
}

output "environment" {
  value = var.environment
}
