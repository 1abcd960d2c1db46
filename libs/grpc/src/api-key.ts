import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/**
 * A key is `ck_<id>_<secret>`. The id names it in the file of keys and in logs; the secret is 256 random bits, of which only the
 * SHA-256 is kept anywhere: against so many bits a slow hash would add nothing.
 */
export interface ApiKey {
  readonly id: string
  readonly secret: string
}

const SECRET_BYTES = 32
const ID = '[A-Za-z0-9-]{1,64}'
const KEY = new RegExp(`^ck_(${ID})_([A-Za-z0-9_-]{43})$`)

/** What an unknown id is compared with, so that it takes as long as a known one. */
const NOBODY = Buffer.alloc(32)

export function isKeyId(text: string): boolean {
  return new RegExp(`^${ID}$`).test(text)
}

export function newApiKey(id: string): ApiKey {
  return { id, secret: randomBytes(SECRET_BYTES).toString('base64url') }
}

export function textOfApiKey({ id, secret }: ApiKey): string {
  return `ck_${id}_${secret}`
}

/** The key in the metadata `authorization`, `Bearer ck_…`; undefined when it is none. */
export function apiKeyOf(authorization: string): ApiKey | undefined {
  const [, scheme, text] = /^(\S+) (\S+)$/.exec(authorization) ?? []
  if (scheme?.toLowerCase() !== 'bearer') return undefined
  const [, id, secret] = KEY.exec(text!) ?? []
  return id === undefined ? undefined : { id, secret: secret! }
}

/** SHA-256 of a secret, in hex: what is kept of it. */
export function hashOfSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** Whether this is the secret of that hash, in the same time for any answer. @param hash undefined for an id that is not known */
export function isSecretOf(hash: string | undefined, secret: string): boolean {
  const known = hash === undefined ? NOBODY : Buffer.from(hash, 'hex')
  const isEqual = timingSafeEqual(createHash('sha256').update(secret).digest(), known)
  return isEqual && hash !== undefined
}
