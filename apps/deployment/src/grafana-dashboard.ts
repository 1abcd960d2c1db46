import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Places } from './places.ts'
import { observabilityFolder } from './prometheus-rules.ts'

/** What we look at in Grafana's JSON; it has more. */
export interface GrafanaDashboard {
  readonly schemaVersion: number
  readonly uid: string
  readonly panels: readonly GrafanaPanel[]
  readonly templating: { readonly list: readonly { readonly name: string }[] }
}

export interface GrafanaPanel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number }
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } }
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly legendFormat?: string }[]
}

/** The file from which the component makes a ConfigMap. */
export async function readGrafanaDashboard(places: Places): Promise<GrafanaDashboard> {
  return JSON.parse(await readFile(join(observabilityFolder(places), 'grafana-dashboard.json'), 'utf8'))
}

/** What its panels ask, with values in the place of Grafana's variables. */
export function expressionsIn({ panels }: GrafanaDashboard): string[] {
  return panels.flatMap(({ targets = [] }) =>
    targets.map(({ expr }) => expr.replaceAll('$namespace', 'chart').replaceAll('$__rate_interval', '1m')),
  )
}
