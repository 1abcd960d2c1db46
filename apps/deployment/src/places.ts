import { fileURLToPath } from 'node:url'

const fromRoot = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

/** Where things are in the repository. */
export const PLACES = {
  root: fromRoot(''),
  overlays: fromRoot('k8s/overlays'),
  components: fromRoot('k8s/components'),
  rendered: fromRoot('k8s/rendered'),
  secrets: fromRoot('k8s/secrets.example.yaml'),
  redisUsers: fromRoot('libs/redis/users.acl'),
} as const
