import { expect, test } from 'vitest'
import { findingsOf } from './terraform-files.ts'
import type { TerraformFolder } from './terraform-folders.ts'

const VARIABLES = `variable "redis_urls" {
  description = "URLs."
  type        = map(string)
  sensitive   = true
}
`
const LOCK = `provider "registry/hashicorp/kubernetes" {
  version     = "2.38.0"
}
`
const VERSIONS = `terraform {
  required_version = ">= 1.11.0"
  required_providers {
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = "2.38.0"
    }
  }
}
`

function folderWith(changes: Record<string, string | undefined>): TerraformFolder {
  const files = {
    'main.tf': '',
    'variables.tf': VARIABLES,
    'outputs.tf': 'output "name" {\n  description = "Name."\n  value = 1\n}\n',
    'versions.tf': VERSIONS,
    'README.md': '',
    '.terraform.lock.hcl': LOCK,
    'terraform.tfvars.example': 'redis_urls = {}\n',
    'tests/a.tftest.hcl': '',
    ...changes,
  }
  const present = Object.entries(files).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return { name: 'environments/a', path: '/a', isEnvironment: true, provider: 'kubernetes', files: new Map(present) }
}

test('an environment with all its files, types, descriptions and pins has nothing to find', () => {
  expect(findingsOf(folderWith({}))).toEqual([])
})

test.each([
  ['a missing file', { 'README.md': undefined }, 'README.md is missing'],
  ['no tests', { 'tests/a.tftest.hcl': undefined }, 'it has no tests/*.tftest.hcl'],
  ['no type', { 'variables.tf': VARIABLES.replace(/ {2}type.*\n/, '') }, 'variable redis_urls has no type'],
  [
    'no description',
    { 'variables.tf': VARIABLES.replace(/ {2}desc.*\n/, '') },
    'variable redis_urls has no description',
  ],
  [
    'a secret in plain sight',
    { 'variables.tf': VARIABLES.replace('true', 'false') },
    'variable redis_urls is not marked sensitive',
  ],
  [
    'a secret with a default',
    { 'variables.tf': VARIABLES.replace('  type', '  default = "redis://"\n  type') },
    'variable redis_urls is a secret and has the default "redis://"; a secret is always given',
  ],
  ['an output without a word', { 'outputs.tf': 'output "name" {\n  value = 1\n}\n' }, 'output name has no description'],
  [
    'an input that the example does not name',
    { 'terraform.tfvars.example': '# redis_urls = {}\n' },
    'terraform.tfvars.example does not name redis_urls, which has no default',
  ],
  [
    'a loose version',
    { 'versions.tf': VERSIONS.replace('"2.38.0"', '"~> 2.38"') },
    'versions.tf does not pin the provider: ~> 2.38',
  ],
  [
    'another version in the lock file',
    { '.terraform.lock.hcl': LOCK.replace('2.38.0', '2.37.1') },
    'versions.tf asks for 2.38.0, .terraform.lock.hcl has 2.37.1',
  ],
])('%s is found', (_, changes, finding) => {
  expect(findingsOf(folderWith(changes))).toEqual([finding])
})
