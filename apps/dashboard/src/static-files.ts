import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'

/** One file of the page, held in memory with what is written of it. */
export interface StaticFile {
  readonly type: string
  readonly etag: string
  readonly cacheControl: string
  /** By content encoding; `identity` is always there. */
  readonly bodies: ReadonlyMap<string, Buffer>
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.map': 'application/json; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
}

/** Those that compression makes smaller. */
const COMPRESSED = new Set(['.html', '.js', '.css', '.svg', '.map', '.json', '.txt', '.webmanifest'])

/** What Vite puts here has a hash of its content in its name. */
const HASHED = '/assets/'

/**
 * The files of the built page by their path, `/` for index.html: read and compressed once, so that a request reads no disk and what is
 * served is never half of one build and half of another.
 * @throws Error saying how to build the page
 */
export async function readStaticFiles(folder: string): Promise<ReadonlyMap<string, StaticFile>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const paths = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  const files = await Promise.all(
    paths.map(async path => {
      const name = `/${path.slice(folder.length).split(sep).filter(Boolean).join('/')}`
      return [name, await fileOf(name, await readFile(path))] as const
    }),
  )
  const byPath = new Map(files)
  const index = byPath.get('/index.html')
  if (index === undefined) {
    throw new Error(`the page is not built: ${folder} has no index.html; run npm run build --workspace apps/dashboard`)
  }
  return byPath.set('/', index)
}

async function fileOf(name: string, body: Buffer): Promise<StaticFile> {
  const extension = extname(name)
  const bodies = new Map([['identity', body]])
  if (COMPRESSED.has(extension)) {
    // What only a debugger asks for is not worth the second that its best compression takes at the start.
    if (extension !== '.map') bodies.set('br', await promisify(brotliCompress)(body))
    bodies.set('gzip', await promisify(gzip)(body))
  }
  return {
    type: TYPES[extension] ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
    cacheControl: name.startsWith(HASHED) ? 'public, max-age=31536000, immutable' : 'no-cache',
    bodies,
  }
}

/** The first of our encodings that an Accept-Encoding header allows. */
export function encodingFor(file: StaticFile, accepted: string): string {
  const allowed = accepted.split(',').flatMap(item => {
    const [name = '', ...parameters] = item.split(';').map(part => part.trim().toLowerCase())
    return parameters.some(parameter => /^q=0(\.0*)?$/.test(parameter)) ? [] : [name]
  })
  return ['br', 'gzip'].find(name => file.bodies.has(name) && allowed.includes(name)) ?? 'identity'
}

/** Whether an If-None-Match header names this very content. */
export function isKnown(file: StaticFile, ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch.split(',').some(tag => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === file.etag)
}
