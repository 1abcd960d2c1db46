import { readFile } from 'node:fs/promises'
import type { ISecret } from 'kubernetes-models/v1/Secret'
import type { Finding } from './finding.ts'
import { type KubeObject, ofKind, titleOf } from './kube-object.ts'
import type { Places } from './places.ts'
import { readObjects } from './read-objects.ts'

/** What stands for something secret, so that nobody takes the example for the thing. */
export const PLACEHOLDER = 'REPLACE-ME'

const FILE = 'k8s/secrets.example.yaml'

/** The Secrets that somebody has to make, each with its keys: the one place that lists them. */
export async function readSecretsContract(places: Places): Promise<ISecret[]> {
  return ofKind(readObjects(await readFile(places.secrets, 'utf8'), FILE), 'Secret')
}

/** The example holds nothing secret, and nothing that no overlay reads. */
export function contractFindings(secrets: readonly ISecret[], objects: readonly KubeObject[]): Finding[] {
  const text = JSON.stringify(objects)
  return secrets.flatMap(secret => {
    const object = `${FILE}, ${titleOf(secret)}`
    const plain = Object.entries(secret.stringData ?? {})
      .filter(([, value]) => !value.includes(PLACEHOLDER))
      .map(([key]) => ({
        object,
        what: `${key} has no ${PLACEHOLDER}`,
        remedy: 'leave what is secret to who makes it',
      }))
    // Pods name a Secret as "name" or "secretName".
    const isNamed = new RegExp(`"(?:secretN|n)ame":"${secret.metadata?.name}"`).test(text)
    return isNamed ? plain : [...plain, { object, what: 'is read by nothing', remedy: 'remove it' }]
  })
}
