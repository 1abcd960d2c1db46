/**
 * What `npm start`, `npm test` and `npm run bench` call first. Runs on any Node from 20 on, in a clone without node_modules, and so
 * imports nothing but Node's own modules: installs what package-lock.json says, finds the Node that runs TypeScript,
 * and hands over to it.
 */
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findNode } from './find-node.mjs'
import { installPackages, npmCommand } from './install-packages.mjs'
import { runToEnd } from './run-to-end.mjs'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const [verb, ...args] = process.argv.slice(2)

/** @param {string} line */
function fail(line) {
  process.stderr.write(`${line}\n`)
  process.exit(1)
}

if (Number.parseInt(process.versions.node, 10) < 20)
  fail(`Node 20 or newer is needed, this is ${process.versions.node}`)
if (!['start', 'test', 'bench'].includes(verb)) fail('usage: bootstrap.mjs start|test|bench [arguments]')

try {
  await installPackages(root)
  const node = findNode(root)
  const env = {
    ...process.env,
    PATH: [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
    CHART_BOOTSTRAP_PID: String(process.pid),
    // A process spends most of its first second on reading and stripping TypeScript; the next ones find it done: 0.4 s instead of 0.7.
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules', '.cache', 'compile'),
  }
  const run = (command, commandArgs) => runToEnd(command, commandArgs, { cwd: root, env })
  if (verb === 'start') {
    process.exitCode = await run(node, [join('apps', 'local', 'src', 'main.ts'), ...args])
  } else if (verb === 'bench') {
    process.exitCode = await run(node, [join('apps', 'bench', 'src', 'bench.ts'), ...args])
  } else {
    process.exitCode = await run(node, [join('apps', 'local', 'src', 'prepare-tests.ts')])
    if (process.exitCode === 0) {
      const [npm, ...npmArgs] = npmCommand(node)
      process.exitCode = await run(npm, [...npmArgs, 'run', 'test:all'])
    }
  }
} catch (error) {
  fail(error.message)
}
