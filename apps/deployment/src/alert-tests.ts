import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { Places } from './places.ts'
import { observabilityFolder } from './prometheus-rules.ts'

/** A file for `promtool test rules`, beside the rules. */
export interface AlertTestFile {
  readonly file: string
  readonly text: string
  readonly tests: readonly AlertTest[]
}

export interface AlertTest {
  readonly name: string
  readonly input_series: readonly { readonly series: string }[]
  readonly promql_expr_test: readonly {
    readonly expr: string
    readonly exp_samples: readonly { readonly labels: string }[]
  }[]
}

export async function readAlertTests(places: Places): Promise<AlertTestFile[]> {
  const folder = join(observabilityFolder(places), 'tests')
  const files = (await readdir(folder)).filter(file => file.endsWith('.test.yaml')).sort()
  return Promise.all(
    files.map(async file => {
      const text = await readFile(join(folder, file), 'utf8')
      return { file, text, tests: (parse(text) as { tests: AlertTest[] }).tests }
    }),
  )
}

/** What the tests expect of one alert at some time: that it is silent, or which labels it has while it waits and when it fires. */
export interface Expectation {
  readonly alert: string
  readonly state: 'silent' | 'pending' | 'firing'
  readonly labels: readonly string[]
}

export function expectationsIn(tests: readonly AlertTest[]): Expectation[] {
  return tests.flatMap(({ promql_expr_test }) =>
    promql_expr_test.flatMap(({ expr, exp_samples }): Expectation[] => {
      const alert = /^ALERTS\{alertname="(\w+)"\}$/.exec(expr)?.[1]
      if (alert === undefined) return []
      if (exp_samples.length === 0) return [{ alert, state: 'silent', labels: [] }]
      return exp_samples.map(({ labels }) => ({
        alert,
        state: /alertstate="(pending|firing)"/.exec(labels)?.[1] as Expectation['state'],
        labels: [...labels.matchAll(/(\w+)="/g)].map(([, name]) => name!),
      }))
    }),
  )
}
