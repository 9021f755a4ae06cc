# What a team keeps in Terraform of a key: who uses it, by which name, and by what permission.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "1.60.0"
    }
  }
}

variable "endpoint" {}
variable "description" { default = "what the application seals" }
variable "team" { default = "blue" }

provider "aws" {
  region                  = "us-west-2"
  skip_get_ec2_platforms  = true
  skip_metadata_api_check = true

  endpoints {
    iam = var.endpoint
    kms = var.endpoint
    sts = var.endpoint
  }
}

data "aws_caller_identity" "me" {}

resource "aws_kms_key" "app" {
  description             = var.description
  deletion_window_in_days = 7
  enable_key_rotation     = true
  tags                    = { team = var.team }

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Account"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.me.account_id}:root" }
      Action    = "kms:*"
      Resource  = "*"
    }]
  })
}

resource "aws_kms_alias" "app" {
  name          = "alias/app"
  target_key_id = aws_kms_key.app.key_id
}

resource "aws_iam_role" "app" {
  name = "app"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.me.account_id}:root" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "app" {
  name = "use"
  role = aws_iam_role.app.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["kms:Encrypt", "kms:Decrypt"]
      Resource = aws_kms_key.app.arn
    }]
  })
}

resource "aws_iam_user" "deployer" {
  name = "deployer"
}

resource "aws_kms_grant" "deployer" {
  name              = "deployer"
  key_id            = aws_kms_key.app.key_id
  grantee_principal = aws_iam_user.deployer.arn
  operations        = ["Encrypt", "Decrypt"]

  constraints {
    encryption_context_equals = { stage = "test" }
  }
}

data "aws_kms_ciphertext" "secret" {
  key_id    = aws_kms_key.app.key_id
  plaintext = "hello"
  context   = { stage = "test" }
}
