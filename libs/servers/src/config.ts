/** Where programs are looked for: all that this library takes from the environment. */
export function searchPath(): string {
  return process.env.PATH ?? ''
}
