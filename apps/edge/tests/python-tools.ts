import { execFile } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findApt } from '@chart/servers'

const run = promisify(execFile)

/** Debian's own: its packages are for this one, and the `python3` on the PATH may be another. */
const PYTHON = '/usr/bin/python3'
const PLUGIN = '/usr/bin/grpc_python_plugin'
const PACKAGES = 'python3-grpcio python3-protobuf protobuf-compiler protobuf-compiler-grpc libprotobuf-dev'
const INSTALL = `
export DEBIAN_FRONTEND=noninteractive
apt-get -q -o DPkg::Lock::Timeout=120 update || true
apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends ${PACKAGES}
`

const PROTO = fileURLToPath(new URL('../../../proto', import.meta.url))
export const WATCH_BARS = join(PROTO, 'examples/python/watch_bars.py')

/** A Python with grpcio, and the code generated from the contract; why not, where there is none and none can be installed. */
export type PythonTools = { readonly python: string; readonly generated: string } | { readonly missing: string }

export async function findPythonTools(): Promise<PythonTools> {
  const first = await generate()
  if ('python' in first) return first
  const runAsRoot = findApt()
  if (runAsRoot === undefined) return first
  await runAsRoot(INSTALL)
  return generate()
}

/** As watch_bars.py says that it is done. */
async function generate(): Promise<PythonTools> {
  try {
    await run(PYTHON, ['-c', 'import grpc, google.protobuf'])
    const generated = await mkdtemp(join(tmpdir(), 'chart-python-'))
    const out = ['python', 'grpc_python'].map(kind => `--${kind}_out=${generated}`)
    const plugin = `--plugin=protoc-gen-grpc_python=${PLUGIN}`
    await run('protoc', ['-I', PROTO, ...out, plugin, 'chart/v1/chart.proto'])
    return { python: PYTHON, generated }
  } catch {
    return { missing: `needs ${PYTHON} with the packages ${PACKAGES}` }
  }
}
