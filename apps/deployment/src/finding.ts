/** Something in a rendering that must not be so. */
export interface Finding {
  /** `Deployment/edge`, or the name of a file. */
  readonly object: string
  /** What is wrong, with the value that is. */
  readonly what: string
  /** What to change. */
  readonly remedy: string
}

/** One line for people. */
export function textOfFinding({ object, what, remedy }: Finding): string {
  return `${object}: ${what}; ${remedy}`
}
