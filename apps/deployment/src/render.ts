import { mkdir, writeFile } from 'node:fs/promises'
import { NoKubectlError, RenderError, renderFolder } from './kustomize.ts'
import { findOverlays } from './overlays.ts'
import { PLACES } from './places.ts'
import { readRendered, renderedFileOf, renderedTextOf } from './rendered-file.ts'

/** `npm run render`: writes what each overlay gives to k8s/rendered, which is committed. */
try {
  await mkdir(PLACES.rendered, { recursive: true })
  for (const { name, folder } of await findOverlays(PLACES)) {
    const text = renderedTextOf(name, await renderFolder(folder))
    const isNew = text !== (await readRendered(name, PLACES))
    if (isNew) await writeFile(renderedFileOf(name, PLACES), text)
    process.stdout.write(`k8s/rendered/${name}.yaml: ${isNew ? 'written' : 'is as it was'}\n`)
  }
} catch (error) {
  if (!(error instanceof NoKubectlError || error instanceof RenderError)) throw error
  process.stderr.write(`render: ${error.message}\n`)
  process.exitCode = 1
}
