/** How `npm run check:terraform` is run. */
export interface TerraformConfig {
  /** A folder with tf-offline.sh, which serves a provider's schema without the provider; undefined where there is none. */
  readonly tools: string | undefined
  /** A folder with providers, laid out as Terraform's filesystem mirror; undefined: they are downloaded. */
  readonly pluginDir: string | undefined
  /** What cannot be checked is a failure where the tools for it were given. */
  readonly isComplete: boolean
}

export function readTerraformConfig(env: Readonly<Record<string, string | undefined>> = process.env): TerraformConfig {
  const tools = env.CHART_TOOLS || undefined
  return {
    tools,
    pluginDir: env.TF_PLUGIN_DIR || undefined,
    isComplete: tools !== undefined && env.CI === 'true',
  }
}
