import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { folderWith } from './outside-packages.ts'

/**
 * The cluster's provider knows its schema and cannot be downloaded everywhere; an npm package carries the same schema. These
 * are what tf-offline.sh serves it with.
 */
const PACKAGES = ['@cdktf/provider-kubernetes@12.1.1', '@grpc/grpc-js@1.14.7', '@grpc/proto-loader@0.8.1']
const SCHEMA_PACKAGE = 'node_modules/@cdktf/provider-kubernetes/package.json'

export interface StandIn {
  /** Folder from which tf-offline.sh is run. */
  readonly folder: string
  /** Of the provider whose schema it is. */
  readonly version: string
}

/** @throws when its packages cannot be installed */
export async function prepareStandIn(): Promise<StandIn> {
  const folder = await folderWith(PACKAGES)
  const { cdktf } = JSON.parse(await readFile(join(folder, SCHEMA_PACKAGE), 'utf8'))
  return { folder, version: cdktf.provider.version }
}
