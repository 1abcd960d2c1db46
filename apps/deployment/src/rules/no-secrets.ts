import type { Finding } from '../finding.ts'
import { ofKind, titleOf } from '../kube-object.ts'
import type { Rendering } from '../rendering.ts'

/** A password in a URL, a private key, a key of the API. */
const SECRETS = [
  /:\/\/[^\s/@]*:[^\s/@]+@/,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /\bck_[A-Za-z0-9-]{1,64}_[A-Za-z0-9_-]{43}\b/,
]

/** Nothing secret is rendered: Secrets are made by whoever has them, and k8s/ only names them. */
export function noSecrets({ objects }: Rendering): Finding[] {
  const rendered = ofKind(objects, 'Secret').map(secret => ({
    object: titleOf(secret),
    what: 'is rendered, and so in the repository',
    remedy: 'name it in k8s/secrets.example.yaml only',
  }))
  const others = objects
    .filter(object => object.kind !== 'Secret' && SECRETS.some(secret => secret.test(JSON.stringify(object))))
    .map(object => ({ object: titleOf(object), what: 'holds a password or key', remedy: 'read it from a Secret' }))
  return [...rendered, ...others]
}
