import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where things are in a clone. */
export interface Places {
  readonly root: string
  readonly overlays: string
  readonly components: string
  /** Manifests that are made by hand, when needed, in the local overlay. */
  readonly operations: string
  readonly rendered: string
  readonly secrets: string
  readonly redisUsers: string
}

export function placesIn(root: string): Places {
  return {
    root,
    overlays: join(root, 'k8s/overlays'),
    components: join(root, 'k8s/components'),
    operations: join(root, 'k8s/operations'),
    rendered: join(root, 'k8s/rendered'),
    secrets: join(root, 'k8s/secrets.example.yaml'),
    redisUsers: join(root, 'libs/redis/users.acl'),
  }
}

/** Of this clone. */
export const PLACES = placesIn(fileURLToPath(new URL('../../..', import.meta.url)))
