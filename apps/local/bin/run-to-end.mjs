import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'

const lookEveryMs = 1_000

/**
 * Runs a command in our place: our terminal, our signals, its exit code.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 * @returns {Promise<number>}
 */
export function runToEnd(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: 'inherit' })
    const pass = signal => child.kill(signal)
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
    for (const signal of signals) process.on(signal, pass)
    const stopLooking = whenOrphaned(() => child.kill('SIGTERM'))
    const finish = () => {
      stopLooking()
      for (const signal of signals) process.off(signal, pass)
    }
    child.once('error', error => {
      finish()
      reject(new Error(`${command} cannot be run: ${error.message}`))
    })
    child.once('exit', (code, signal) => {
      finish()
      resolve(code ?? 128 + constants.signals[signal])
    })
  })
}

/**
 * Calls `act` when the npm that started us has been killed. npm runs scripts directly or through a shell, and the
 * death of npm reaches neither, so whose child we are is looked at. A start by hand has no npm and is left alone: a
 * shell may end before what it started in the background.
 * @param {() => void} act
 * @returns {() => void}
 */
function whenOrphaned(act) {
  if (process.env.npm_lifecycle_event === undefined) return () => {}
  const shell = /^(ba|da|z)?sh$/.test(statOf(process.ppid).name) ? process.ppid : undefined
  const ancestry = () => [process.ppid, shell === undefined ? undefined : statOf(shell).ppid].join()
  const before = ancestry()
  const timer = setInterval(() => {
    if (ancestry() === before) return
    clearInterval(timer)
    act()
  }, lookEveryMs)
  timer.unref()
  return () => clearInterval(timer)
}

/**
 * @param {number} pid
 * @returns {{ name: string, ppid?: number }} empty where there is no /proc
 */
function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const end = text.lastIndexOf(')')
    return { name: text.slice(text.indexOf('(') + 1, end), ppid: Number(text.slice(end + 2).split(' ')[1]) }
  } catch {
    return { name: '' }
  }
}
