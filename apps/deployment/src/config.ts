/** How the checks are run. */
export interface Config {
  /** A folder with k8s-validate.mjs; undefined where there is none. */
  readonly tools: string | undefined
  /** Ask the cluster that kubectl points to. Not by default: it may be anybody's. */
  readonly asksCluster: boolean
}

export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  return { tools: env.CHART_TOOLS || undefined, asksCluster: env.CHECK_CLUSTER === '1' }
}
