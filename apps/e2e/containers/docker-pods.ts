import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:http2'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { configDataOf, environmentOf, secretDataOf } from '@chart/deployment/environment'
import { type KubeObject, named, ofKind } from '@chart/deployment/kube-object'
import { quantityOf } from '@chart/deployment/quantity'
import type { Workload } from '@chart/deployment/workloads'
import { messageOf, rawCall, textField } from '@chart/testkit'
import { docker, tryDocker } from './docker.ts'

type Container = Workload['containers'][number]
type Volume = NonNullable<Workload['pod']['volumes']>[number]

/** The kubelet's default. */
const GRACE_SECONDS = 30

/** A container that runs what a pod would. */
export interface Pod {
  readonly name: string
  readonly workload: Workload
}

/**
 * Runs the pods of rendered objects with a container engine, as the kubelet is told to: image, arguments, environment out of
 * ConfigMaps and Secrets, mounts, user and group, capabilities, memory limit, probes. The names of Services, with their namespace and without, lead to their pods. What only a cluster
 * has is not shown by it: scheduling, network policies, the autoscaler, the API server itself.
 */
export class DockerPods implements AsyncDisposable {
  readonly #objects: readonly KubeObject[]
  readonly #given: Parameters<typeof environmentOf>[1]
  readonly #network = `chart-pods-${process.pid}-${Date.now()}`
  readonly #folder = mkdtempSync(join(tmpdir(), 'chart-pods-'))
  readonly #volumes = new Set<string>()
  readonly #containers = new Set<string>()

  private constructor(objects: readonly KubeObject[]) {
    this.#objects = objects
    this.#given = { objects, secrets: ofKind(objects, 'Secret') }
  }

  static async open(objects: readonly KubeObject[]): Promise<DockerPods> {
    const pods = new DockerPods(objects)
    await docker(['network', 'create', pods.#network])
    return pods
  }

  /** Starts one pod of a Deployment or StatefulSet and waits until its startup probe succeeds. */
  async start(workload: Workload, index = 0): Promise<Pod> {
    const pod = { name: `${this.#network}-${workload.name}-${index}`, workload }
    await this.#run(pod, ['--detach'])
    return pod
  }

  /** Runs a Job's pod, or that of a CronJob once, to its end, and gives what it said. @throws when it fails */
  async runToEnd(workload: Workload, environment: Readonly<Record<string, string>> = {}): Promise<string> {
    const name = `${this.#network}-${workload.name}-${this.#containers.size}`
    return this.#run({ name, workload }, [], environment)
  }

  /** Whether the probe would succeed now. */
  async probe({ name, workload }: Pod, kind: 'startupProbe' | 'readinessProbe' | 'livenessProbe'): Promise<boolean> {
    const [container] = workload.containers
    const probe = container?.[kind]
    if (probe?.exec?.command !== undefined) return (await tryDocker(['exec', name, ...probe.exec.command])).status === 0
    const host = await this.addressOf(name)
    if (probe?.httpGet !== undefined) {
      const port = portOf(container!, probe.httpGet.port)
      const response = await fetch(`http://${host}:${port}${probe.httpGet.path}`).catch(() => undefined)
      return response?.ok === true
    }
    if (probe?.grpc === undefined) throw new Error(`${workload.title} has no ${kind} that could be asked`)
    return isServing(host, probe.grpc.port, probe.grpc.service ?? '')
  }

  /** Whether the startup probe succeeds; where the process has ended it is started again, as the kubelet does. */
  async hasStarted(pod: Pod): Promise<boolean> {
    const running = (await docker(['inspect', '--format', '{{.State.Running}}', pod.name])).trim() === 'true'
    if (!running) await docker(['start', pod.name])
    return running && this.probe(pod, 'startupProbe')
  }

  async addressOf(name: string): Promise<string> {
    return (
      await docker(['inspect', '--format', `{{(index .NetworkSettings.Networks "${this.#network}").IPAddress}}`, name])
    ).trim()
  }

  /** SIGTERM, and SIGKILL after the grace period; the status that the container ended with. */
  async stop({ name, workload }: Pod): Promise<number> {
    await docker(['stop', '--time', String(workload.pod.terminationGracePeriodSeconds ?? GRACE_SECONDS), name])
    return Number(await docker(['inspect', '--format', '{{.State.ExitCode}}', name]))
  }

  async logs({ name }: Pod): Promise<string> {
    const { stdout, stderr } = await tryDocker(['logs', '--tail', '15', name])
    return stdout + stderr
  }

  async [Symbol.asyncDispose]() {
    for (const name of this.#containers) await tryDocker(['rm', '--force', '--volumes', name])
    for (const name of this.#volumes) await tryDocker(['volume', 'rm', name])
    await tryDocker(['network', 'rm', this.#network])
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #run(
    { name, workload }: Pod,
    flags: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const { pod, containers } = workload
    const [container] = containers
    if (container === undefined || containers.length > 1) throw new Error(`${workload.title} has not one container`)
    this.#containers.add(name)
    const [entry, ...command] = container.command ?? []
    const limit = quantityOf(container.resources?.limits?.memory)
    return docker([
      'run',
      ...flags,
      ...['--name', name, '--network', this.#network, '--memory', String(limit), '--memory-swap', String(limit)],
      ...this.#servicesOf(workload).flatMap(service => ['--network-alias', service]),
      ...(await this.#securityOf(pod, container)),
      ...Object.entries({ ...this.#environmentOf(container), ...environment }).flatMap(([key, value]) => [
        '--env',
        `${key}=${value}`,
      ]),
      ...(await this.#mountsOf(workload, container)),
      ...(entry === undefined ? [] : ['--entrypoint', entry]),
      container.image!,
      ...command,
      ...(container.args ?? []),
    ])
  }

  async #securityOf(pod: Workload['pod'], container: Container): Promise<string[]> {
    const own = { ...pod.securityContext, ...container.securityContext }
    const user = await userOf(container.image!, own.runAsUser!)
    return [
      ...['--user', `${user}:${own.runAsGroup}`],
      ...(own.fsGroup === undefined ? [] : ['--group-add', String(own.fsGroup)]),
      ...(own.readOnlyRootFilesystem === true ? ['--read-only'] : []),
      ...(own.allowPrivilegeEscalation === false ? ['--security-opt', 'no-new-privileges'] : []),
      ...(own.capabilities?.drop ?? []).flatMap(capability => ['--cap-drop', capability]),
    ]
  }

  #servicesOf({ labels }: Workload): string[] {
    const chosen = ofKind(this.#objects, 'Service').filter(({ spec }) =>
      Object.entries(spec?.selector ?? {}).every(([key, value]) => labels[key] === value),
    )
    return chosen.flatMap(({ metadata: { name, namespace } = {} }) =>
      name === undefined ? [] : [name, `${name}.${namespace}`],
    )
  }

  #environmentOf(container: Container): Record<string, string> {
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      if (configMapRef !== undefined) this.#valuesOf('ConfigMap', configMapRef.name)
      if (secretRef !== undefined) this.#valuesOf('Secret', secretRef.name)
    }
    const variables = [...environmentOf(container, this.#given)]
    return Object.fromEntries(
      variables.map(([name, { value, source }]) => {
        if (value === undefined) throw new Error(`${name} has no value: ${source} lacks it`)
        return [name, value]
      }),
    )
  }

  #valuesOf(kind: 'ConfigMap' | 'Secret', name: string | undefined): Readonly<Record<string, string>> {
    const values = kind === 'ConfigMap' ? configDataOf(name, this.#given) : secretDataOf(name, this.#given)
    if (values === undefined) throw new Error(`there is no ${kind} ${name}`)
    return values
  }

  async #mountsOf(workload: Workload, container: Container): Promise<string[]> {
    const claimed = this.#claimsOf(workload)
    const flags: string[] = []
    for (const { name, mountPath, readOnly } of container.volumeMounts ?? []) {
      const volume = workload.pod.volumes?.find(one => one.name === name)
      const claim = volume?.persistentVolumeClaim?.claimName ?? claimed.find(one => one === name)
      if (claim !== undefined) {
        const source = await this.#volumeFor(
          `${this.#network}-${volume === undefined ? workload.name : ''}${claim}`,
          workload,
          container,
        )
        // Without nocopy the engine would give an empty volume the owner that the image's folder has.
        flags.push('--volume', `${source}:${mountPath}:nocopy${readOnly ? ',ro' : ''}`)
      } else if (volume?.emptyDir !== undefined) {
        flags.push('--volume', `${this.#emptyFolder(workload, name)}:${mountPath}`)
      } else {
        flags.push('--volume', `${this.#filesOf(workload, volume!)}:${mountPath}:ro`)
      }
    }
    return flags
  }

  #claimsOf({ kind, name }: Workload): string[] {
    if (kind !== 'StatefulSet') return []
    const templates = named(this.#objects, 'StatefulSet', name)?.spec?.volumeClaimTemplates ?? []
    return templates.flatMap(({ metadata }) => metadata?.name ?? [])
  }

  /** A volume that the pod's group may write to, as the kubelet makes it by fsGroup. */
  async #volumeFor(source: string, { pod }: Workload, { image }: Container): Promise<string> {
    if (this.#volumes.has(source)) return source
    this.#volumes.add(source)
    const group = pod.securityContext?.fsGroup
    const asRoot = ['run', '--rm', '--user', '0:0', '--volume', `${source}:/volume`, '--entrypoint', 'sh', image!]
    await docker([...asRoot, '-c', `chgrp ${group} /volume && chmod 2775 /volume`])
    return source
  }

  /** An emptyDir. A tmpfs would get the mode of the image's folder in its place. */
  #emptyFolder(workload: Workload, volume: string): string {
    const folder = mkdtempSync(join(this.#folder, `${workload.name}-${volume}-`))
    chmodSync(folder, 0o1777)
    return folder
  }

  /** A folder with the files of a ConfigMap or Secret, readable for the pod's group as its mode says. */
  #filesOf({ pod, name: workload }: Workload, volume: Volume): string {
    const { configMap, secret } = volume
    const kind = configMap === undefined ? 'Secret' : 'ConfigMap'
    const name = configMap?.name ?? secret?.secretName
    const isThere = named(this.#objects, kind, name) !== undefined
    if (!isThere && !(configMap?.optional ?? secret?.optional)) throw new Error(`there is no ${kind} ${name}`)
    const values = isThere ? this.#valuesOf(kind, name) : {}
    const items = configMap?.items ?? secret?.items ?? Object.keys(values).map(key => ({ key, path: key }))
    const folder = join(this.#folder, workload, volume.name)
    mkdirSync(folder, { recursive: true })
    chmodSync(folder, 0o755)
    for (const { key, path } of items) {
      const file = join(folder, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, values[key]!)
      // Owned by root and the pod's group in a cluster; this process may not be root, so all may read what the group may.
      const mode = configMap?.defaultMode ?? secret?.defaultMode ?? 0o644
      if ((mode & (pod.securityContext?.fsGroup === undefined ? 0o004 : 0o040)) !== 0) chmodSync(file, 0o644)
      else chmodSync(file, 0o600)
    }
    return folder
  }
}

/**
 * The number that an image of Redis or PostgreSQL has for its user: 999 in the official ones, and in others of the same name perhaps another;
 * initdb asks for a user that has a name.
 */
async function userOf(image: string, user: number): Promise<number> {
  if (image.startsWith('chart/')) return user
  const name = image.split(':')[0]!
  const script = `id -un ${user} >/dev/null 2>&1 && echo ${user} || id -u ${name}`
  return Number(await docker(['run', '--rm', '--network', 'none', '--entrypoint', 'sh', image, '-c', script]))
}

function portOf({ ports = [] }: Container, port: number | string): number {
  return typeof port === 'number' ? port : ports.find(one => one.name === port)!.containerPort
}

/** Whether gRPC's own health says SERVING. */
async function isServing(host: string, port: number, service: string): Promise<boolean> {
  const session = connect(`http://${host}:${port}`)
  session.on('error', () => undefined)
  try {
    const { body } = await rawCall(session, '/grpc.health.v1.Health/Check', { body: messageOf(textField(1, service)) })
    // HealthCheckResponse.status is the only field; SERVING is 1.
    return body.at(-1) === 1
  } finally {
    session.destroy()
  }
}
