/** How both checks are run. */
interface CheckConfig {
  /** A folder with k8s-validate.mjs and tf-offline.sh; undefined where there is none. */
  readonly tools: string | undefined
}

export interface KubernetesConfig extends CheckConfig {
  /** Ask the cluster that kubectl points to. Not by default: it may be anybody's. */
  readonly asksCluster: boolean
}

export interface TerraformConfig extends CheckConfig {
  /** A folder with Terraform's providers, laid out as a filesystem mirror; undefined: they are downloaded. */
  readonly pluginDir: string | undefined
  /** What cannot be checked is a failure where the tools for it were given. */
  readonly isComplete: boolean
  /** What Terraform sees of the environment, and what it is told besides. */
  readonly terraformEnv: Readonly<Record<string, string | undefined>>
}

/** Providers are asked for once: a registry that does not answer is not waited for. */
const TERRAFORM_ENV = {
  TF_IN_AUTOMATION: '1',
  CHECKPOINT_DISABLE: '1',
  TF_REGISTRY_DISCOVERY_RETRY: '0',
  TF_REGISTRY_CLIENT_TIMEOUT: '10',
}

type Environment = Readonly<Record<string, string | undefined>>

export function readKubernetesConfig(env: Environment = process.env): KubernetesConfig {
  return { tools: toolsIn(env), asksCluster: env.CHECK_CLUSTER === '1' }
}

export function readTerraformConfig(env: Environment = process.env): TerraformConfig {
  const tools = toolsIn(env)
  return {
    tools,
    pluginDir: env.TF_PLUGIN_DIR || undefined,
    isComplete: tools !== undefined && env.CI === 'true',
    terraformEnv: { ...env, ...TERRAFORM_ENV },
  }
}

function toolsIn(env: Environment): string | undefined {
  return env.CHART_TOOLS || undefined
}
