/**
 * What a process of ours gets of the environment of its test: nothing that decides what it does. The cache of compiled code halves what its
 * start costs, and is there when the tests are run as the README says.
 */
export const BARE_ENV: Readonly<Record<string, string>> = Object.fromEntries(
  ['PATH', 'NODE_COMPILE_CACHE'].flatMap(name => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value]]
  }),
)
