import type { IContainer } from 'kubernetes-models/v1/Container'
import type { ISecret } from 'kubernetes-models/v1/Secret'
import { named } from './kube-object.ts'
import type { Rendering } from './rendering.ts'

/** A variable that a container is given. */
export interface Variable {
  /** Undefined where it comes from something that is not there (references.ts says so), or is known only in the cluster. */
  readonly value: string | undefined
  /** `ConfigMap/exchange`, `Secret/edge`, or `env`. */
  readonly source: string
}

/** Where the values lie that a container is given. */
type Given = Pick<Rendering, 'objects' | 'secrets'>

/** Everything that a container is given, by name; what comes later wins, as in a pod. */
export function environmentOf(container: IContainer, given: Given): ReadonlyMap<string, Variable> {
  const variables = new Map<string, Variable>()
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    for (const [name, value] of Object.entries(configDataOf(configMapRef?.name, given) ?? {})) {
      variables.set(prefix + name, { value, source: `ConfigMap/${configMapRef?.name}` })
    }
    for (const [name, value] of Object.entries(secretDataOf(secretRef?.name, given) ?? {})) {
      variables.set(prefix + name, { value, source: `Secret/${secretRef?.name}` })
    }
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const { configMapKeyRef: config, secretKeyRef: secret } = valueFrom ?? {}
    if (config !== undefined) {
      const data = configDataOf(config.name, given)
      variables.set(name, { value: data?.[config.key], source: `ConfigMap/${config.name}` })
    } else if (secret !== undefined) {
      const data = secretDataOf(secret.name, given)
      variables.set(name, { value: data?.[secret.key], source: `Secret/${secret.name}` })
    } else {
      variables.set(name, { value: valueFrom === undefined ? (value ?? '') : undefined, source: 'env' })
    }
  }
  return variables
}

type Data = Readonly<Record<string, string>>

/** Undefined when there is no such ConfigMap. */
export function configDataOf(name: string | undefined, { objects }: Pick<Given, 'objects'>): Data | undefined {
  const map = named(objects, 'ConfigMap', name)
  return map && { ...map.data, ...map.binaryData }
}

/** Undefined when nobody says that there will be such a Secret. */
export function secretDataOf(name: string | undefined, { secrets }: Pick<Given, 'secrets'>): Data | undefined {
  const secret = secrets.find(({ metadata }) => metadata?.name === name)
  return secret && textsOf(secret)
}

function textsOf({ data = {}, stringData = {} }: ISecret): Data {
  const decoded = Object.entries(data).map(([name, text]) => [name, Buffer.from(text, 'base64').toString()])
  return { ...Object.fromEntries(decoded), ...stringData }
}
