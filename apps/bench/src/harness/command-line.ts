/**
 * What `read` makes of the command line. Whatever it throws, a wrong option or a wrong number, is told with how the command is called, and
 * ends the process with status 2; `--help` tells only that.
 */
export function commandLine<Options>(usage: string, read: () => Options): Options {
  if (process.argv.includes('--help')) {
    process.stdout.write(`${usage}\n`)
    process.exit(0)
  }
  try {
    return read()
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage}\n`)
    process.exit(2)
  }
}

/** @throws Error when `text` is not a number above zero */
export function positive(name: string, text: string): number {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new Error(`--${name} must be a number above 0, not "${text}"`)
}

/** @throws Error when `text` is not a whole number from `min` */
export function wholeNumber(name: string, text: string, min = 1): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= min) return value
  throw new Error(`--${name} must be a whole number from ${min}, not "${text}"`)
}

/** "1,20" as numbers. @throws Error when one of them is not a whole number from `min` */
export function wholeNumbers(name: string, text: string, min = 1): readonly number[] {
  return text.split(',').map(part => wholeNumber(name, part, min))
}
