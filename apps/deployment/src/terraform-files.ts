import type { TerraformFolder } from './terraform-folders.ts'

/** What Terraform does not ask of a module's files, and whoever inherits them does. */

const ALWAYS = ['main.tf', 'variables.tf', 'outputs.tf', 'versions.tf', 'README.md']
/** An environment of many things has a file for each of them. */
const OF_AN_ENVIRONMENT = [
  'variables.tf',
  'outputs.tf',
  'versions.tf',
  'README.md',
  '.terraform.lock.hcl',
  'terraform.tfvars.example',
]

/** What is missing or wrong, a line each. */
export function findingsOf(folder: TerraformFolder): string[] {
  const { files, isEnvironment } = folder
  const missing = (isEnvironment ? OF_AN_ENVIRONMENT : ALWAYS).filter(name => !files.has(name))
  const findings = missing.map(name => `${name} is missing`)
  if (![...files.keys()].some(name => name.endsWith('.tftest.hcl'))) findings.push('it has no tests/*.tftest.hcl')
  for (const [name, text] of blocksOf('variable', files)) findings.push(...variableFindings(name, text))
  for (const [name, text] of blocksOf('output', files)) {
    if (!/^ {2}description\s*=/m.test(text)) findings.push(`output ${name} has no description`)
  }
  return isEnvironment ? [...findings, ...pinFindings(files), ...exampleFindings(files)] : findings
}

function variableFindings(name: string, text: string): string[] {
  const findings = ['type', 'description']
    .filter(attribute => !new RegExp(`^ {2}${attribute}\\s*=`, 'm').test(text))
    .map(attribute => `variable ${name} has no ${attribute}`)
  const isSensitive = /^ {2}sensitive\s*=\s*true$/m.test(text)
  const fallback = /^ {2}default\s*=\s*(.*)$/m.exec(text)?.[1]
  if (isSensitive && fallback !== undefined && fallback !== 'null' && fallback !== '{}') {
    findings.push(`variable ${name} is a secret and has the default ${fallback}; a secret is always given`)
  }
  if (/password|urls|tls|keys/.test(name) && !isSensitive) findings.push(`variable ${name} is not marked sensitive`)
  return findings
}

/** An environment says one version of its provider, and its lock file the same. */
function pinFindings(files: ReadonlyMap<string, string>): string[] {
  const asked = /version\s*=\s*"([^"]+)"/.exec(files.get('versions.tf')?.replace(/required_version.*/, '') ?? '')?.[1]
  const locked = lockedVersionOf(files)
  if (asked === undefined || !/^\d+\.\d+\.\d+$/.test(asked)) return [`versions.tf does not pin the provider: ${asked}`]
  return asked === locked ? [] : [`versions.tf asks for ${asked}, .terraform.lock.hcl has ${locked}`]
}

/** The example of the inputs names each that must be given. */
function exampleFindings(files: ReadonlyMap<string, string>): string[] {
  const example = files.get('terraform.tfvars.example') ?? ''
  return [...blocksOf('variable', files)]
    .filter(([, text]) => !/^ {2}default\s*=/m.test(text))
    .filter(([name]) => !new RegExp(`^${name}\\s*=`, 'm').test(example))
    .map(([name]) => `terraform.tfvars.example does not name ${name}, which has no default`)
}

export function lockedVersionOf(files: ReadonlyMap<string, string>): string | undefined {
  return /^ {2}version\s*=\s*"([^"]+)"/m.exec(files.get('.terraform.lock.hcl') ?? '')?.[1]
}

/** Blocks at the margin, which is where `terraform fmt` leaves them. */
function* blocksOf(kind: string, files: ReadonlyMap<string, string>): Generator<[name: string, text: string]> {
  for (const [file, text] of files) {
    if (!file.endsWith('.tf')) continue
    for (const match of text.matchAll(new RegExp(`^${kind} "(\\w+)" \\{\\n([\\s\\S]*?)^\\}`, 'gm')))
      yield [match[1]!, match[2]!]
  }
}
