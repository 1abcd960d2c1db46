import type { ISecret } from 'kubernetes-models/v1/Secret'
import type { Finding } from './finding.ts'
import type { KubeObject } from './kube-object.ts'
import type { Program } from './programs.ts'

/** What a rule looks at: the objects of one overlay, and what they must fit. */
export interface Rendering {
  readonly objects: readonly KubeObject[]
  /** The Secrets that somebody makes before, with their keys: k8s/secrets.example.yaml. */
  readonly secrets: readonly ISecret[]
  /** Our programs by image and file. */
  readonly programs: ReadonlyMap<string, Program>
  /** Names of the series that our apps show, and of those that recording rules of k8s/ make. */
  readonly metrics: ReadonlySet<string>
}

/** A rule of ours. It finds nothing in a rendering that keeps it. */
export type Rule = (rendering: Rendering) => Finding[]
