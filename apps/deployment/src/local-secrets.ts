import { createHash } from 'node:crypto'
import type { ISecret } from 'kubernetes-models/v1/Secret'
import { type KubeObject, titleOf } from './kube-object.ts'
import { PLACEHOLDER } from './secrets-contract.ts'

/** What the Secrets are made of. */
export interface Ingredients {
  /** k8s/secrets.example.yaml: the Secrets, with placeholders. */
  readonly contract: readonly ISecret[]
  /** The objects of the overlay: Secrets that none of them names are left out. */
  readonly objects: readonly KubeObject[]
  /** libs/redis/users.acl: the users' rights, with a name such as EDGE_PASSWORD for each password. */
  readonly redisUsers: string
  /** Entries of the edges' list of API keys. */
  readonly apiKeys: readonly object[]
  /** The dashboard's key, whose entry is one of them. */
  readonly dashboardKey: string
  /** Another one with each call, of letters, digits, - and _, so that it stands in a URL as it is. */
  readonly newPassword: () => string
}

/**
 * The Secrets of the local overlay: each placeholder of the contract gives way to a password, the same for a user wherever the user is named.
 * @throws Error naming the Secret whose placeholder it cannot fill
 */
export function makeLocalSecrets({
  contract,
  objects,
  redisUsers,
  apiKeys,
  dashboardKey,
  newPassword,
}: Ingredients): ISecret[] {
  const passwords = new Map<string, string>()
  const passwordOf = (server: string, user: string) => {
    const name = `${server} ${user}`
    const password = passwords.get(name) ?? newPassword()
    passwords.set(name, password)
    return password
  }
  /** What stands in the place of a whole value, by Secret and key. */
  const wholes: Readonly<Record<string, (value: string) => string>> = {
    'Secret/postgres POSTGRES_PASSWORD': () => passwordOf('postgres', 'postgres'),
    'Secret/postgres SERVICE_PASSWORD': () => passwordOf('postgres', 'chart'),
    'Secret/edge-keys keys.json': () => JSON.stringify(apiKeys),
    'Secret/dashboard CHART_API_KEY': () => dashboardKey,
    'Secret/redis users.acl': value =>
      value.replace(
        new RegExp(`^.*${PLACEHOLDER}.*$`, 'm'),
        usersOf(redisUsers, user => passwordOf('redis', user)),
      ),
  }
  const named = JSON.stringify(objects)
  return contract
    .filter(({ metadata }) => named.includes(`"${metadata?.name}"`))
    .map(secret => {
      const filled = Object.entries(secret.stringData ?? {}).map(([key, value]) => {
        const whole = wholes[`${titleOf(secret)} ${key}`]
        const text = whole?.(value) ?? withPassword(value, passwordOf)
        if (text.includes(PLACEHOLDER)) throw new Error(`${titleOf(secret)}: nobody knows what to put into ${key}`)
        return [key, text] as const
      })
      return { ...secret, stringData: Object.fromEntries(filled) }
    })
}

/** Redis keeps no passwords but their SHA-256, and is given no more. */
function usersOf(text: string, passwordOf: (user: string) => string): string {
  return text
    .trimEnd()
    .replace(/>([A-Z]+)_PASSWORD/g, (_, user: string) => `#${sha256(passwordOf(user.toLowerCase()))}`)
}

/** `redis://edge:REPLACE-ME@redis:6379` with the password of `edge`. */
function withPassword(url: string, passwordOf: (server: string, user: string) => string): string {
  return url.replace(/^(\w+)(:\/\/)([\w-]+):REPLACE-ME@/, (_, server: string, between: string, user: string) => {
    return `${server}${between}${user}:${passwordOf(server, user)}@`
  })
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
