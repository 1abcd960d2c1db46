/** Whose a function is. */
export type FrameKind = 'ours' | 'package' | 'node' | 'native' | 'gc'

export function kindOf(functionName: string, url: string): FrameKind {
  if (functionName === '(garbage collector)') return 'gc'
  if (url.includes('/node_modules/')) return 'package'
  if (url.startsWith('file:')) return 'ours'
  // What strips types is WebAssembly that Node brings along.
  return url.startsWith('node:') || url.startsWith('wasm:') ? 'node' : 'native'
}

/** From `root` on, and of an installed package from its name on. Anything else keeps its path from the last two folders on. */
export function shownPath(url: string, root: string): string {
  const inPackage = url.lastIndexOf('/node_modules/')
  if (inPackage >= 0) return url.slice(inPackage + '/node_modules/'.length)
  if (url.startsWith(root)) return url.slice(root.length)
  return url.startsWith('file:') ? url.split('/').slice(-3).join('/') : url
}

/** Whether it is Node's way of finding, reading and linking modules. */
export function isLoader(url: string): boolean {
  return url.startsWith('node:internal/modules/')
}
