import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkKubernetes } from '../src/check-kubernetes.ts'
import { placesIn } from '../src/places.ts'
import { runCommand } from '../src/run-command.ts'

/** The check as a whole, on a copy of k8s/ in which something is changed. That nothing is found in k8s/ itself, `npm run check:k8s` tells. */

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url))
const CONFIG = { tools: undefined, asksCluster: false }
const hasKubectl = (await runCommand('kubectl', ['version', '--client'])) !== undefined
if (!hasKubectl) console.warn('kubectl is not on the PATH: tests that render are skipped')

let clone = ''

beforeEach(async () => {
  clone = await mkdtemp(join(tmpdir(), 'chart-clone-'))
  await cp(join(REPOSITORY, 'k8s'), join(clone, 'k8s'), { recursive: true })
})

afterEach(() => rm(clone, { recursive: true }))

async function check() {
  const lines: string[] = []
  const count = await checkKubernetes(placesIn(clone), CONFIG, line => lines.push(line))
  return { count, text: lines.join('\n') }
}

async function edit(file: string, from: string | RegExp, to: string) {
  const path = join(clone, file)
  const text = await readFile(path, 'utf8')
  const edited = text.replace(from, to)
  expect(edited, `${file} has ${from}`).not.toBe(text)
  await writeFile(path, edited)
}

test.runIf(hasKubectl)('a manifest that was changed and not rendered is found, and what is wrong with it', async () => {
  await edit('k8s/base/edge/deployment.yaml', 'terminationGracePeriodSeconds: 40', 'terminationGracePeriodSeconds: 10')
  const { count, text } = await check()
  expect(text).toContain('k8s/rendered/local.yaml: is not what k8s/overlays/local gives now')
  expect(text).toContain('    -       terminationGracePeriodSeconds: 40\n')
  expect(text).toContain('run "npm run render"')
  const said = text.match(/Deployment\/edge: is killed 10 s after it was told to stop/g)
  expect(said, 'not said again for each component').toHaveLength(1)
  expect(count).toBe(3)
})

test.runIf(hasKubectl)('a component that does not fit is found although no overlay has it', async () => {
  await edit('k8s/components/tracing/kustomization.yaml', 'OTEL_TRACES_SAMPLER_ARG=0.01', 'OTEL_TRACES_SAMPLER_ARG=10')
  await edit('k8s/components/keda/kustomization.yaml', /resources:/, 'resuorces:')
  const { text } = await check()
  expect(text).toContain('production + tracing: ')
  expect(text).toContain('kubeconform was not asked')
  expect(text).toContain('OTEL_TRACES_SAMPLER_ARG "10" cannot be used')
  expect(text).toMatch(/local \+ keda: cannot be rendered: .*resuorces/s)
})

test('a field that the API does not have is found, also in a file that is committed', async () => {
  await edit('k8s/rendered/production.yaml', 'minReadySeconds:', 'minReadySecond:')
  const outcome = await runCheckWithoutKubectl()
  expect(outcome.status).toBe(1)
  expect(outcome.stdout).toContain('there is no field spec.minReadySecond')
})

test('without kubectl the committed files are checked, and it is said what was not', async () => {
  const outcome = await runCheckWithoutKubectl()
  expect(outcome.stdout).toContain('kubectl is not on the PATH')
  expect(outcome.stdout).toContain('not compared with k8s/')
  expect(outcome.stdout).toContain('nothing found')
  expect(outcome.status).toBe(0)
})

/** Another process, since this one has its PATH. */
async function runCheckWithoutKubectl() {
  const source = fileURLToPath(new URL('../src', import.meta.url))
  const program = `
    const { checkKubernetes } = await import('${source}/check-kubernetes.ts')
    const { placesIn } = await import('${source}/places.ts')
    process.env.PATH = ''
    const count = await checkKubernetes(placesIn('${clone}'), ${JSON.stringify(CONFIG)}, line => console.log(line))
    process.exitCode = count > 0 ? 1 : 0`
  const outcome = await runCommand(process.execPath, ['--input-type=module', '--eval', program])
  return outcome!
}
