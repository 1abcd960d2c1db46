import { type CpuProfile, type ProfileNode, selfTimes } from './cpu-profile.ts'
import { type FrameKind, isLoader, kindOf, shownPath } from './frame-kind.ts'

/** A function on one way of calls, and what it called. */
export interface Frame {
  readonly name: string
  /** As it is shown; empty for what has no file. */
  readonly file: string
  readonly kind: FrameKind
  selfUs: number
  /** With everything that it called. */
  totalUs: number
  readonly children: Map<string, Frame>
}

const ROOT = '(root)'
/** The process waited: no time of it is anybody's cost. */
const IDLE = '(idle)'
const LOADING = '(loading modules)'

/**
 * The calls of a profile, those with the same functions from the root on in one; without the time in which nothing ran. Loading a
 * module that loads modules is some ten calls of Node for each step; all of it is one frame, with what the modules themselves do beneath it.
 * @param root folder that paths of ours are shown from, as a file URL with a slash at its end
 */
export function callTree(profile: CpuProfile, root: string): Frame {
  const nodes = new Map(profile.nodes.map(node => [node.id, node]))
  const times = selfTimes(profile)
  const top = profile.nodes.find(({ callFrame }) => callFrame.functionName === ROOT)
  if (top === undefined) throw new Error('the profile has no (root): was it written by --cpu-prof, and to its end?')
  const tree = frameOf(ROOT, '', root)
  add(tree, top, undefined)
  sumUp(tree)
  return tree

  /** @param loading the frame of loading modules that `frame` is beneath or is */
  function add(frame: Frame, node: ProfileNode, loading: Frame | undefined): void {
    frame.selfUs += times.get(node.id) ?? 0
    for (const id of node.children ?? []) {
      const child = nodes.get(id)!
      const { functionName, url } = child.callFrame
      if (functionName === IDLE) continue
      if (!isLoader(url)) {
        add(childOf(frame, functionName, url, root), child, loading)
        continue
      }
      const one = loading ?? childOf(frame, LOADING, 'node:internal/modules', root)
      add(one, child, one)
    }
  }
}

function childOf(frame: Frame, name: string, url: string, root: string): Frame {
  const key = `${name} ${url}`
  const child = frame.children.get(key) ?? frameOf(name, url, root)
  frame.children.set(key, child)
  return child
}

function frameOf(name: string, url: string, root: string): Frame {
  return {
    name: name === '' ? '(anonymous)' : name,
    file: shownPath(url, root),
    kind: kindOf(name, url),
    selfUs: 0,
    totalUs: 0,
    children: new Map(),
  }
}

function sumUp(frame: Frame): number {
  frame.totalUs = frame.selfUs
  for (const child of frame.children.values()) frame.totalUs += sumUp(child)
  return frame.totalUs
}
