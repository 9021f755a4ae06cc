/** Processes by their ids: what belongs to a server, and signals to all of it. @module */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Whatever ends this process, nothing of the tests outlives it. */
const ends = new Set<() => void>()
process.on('exit', () => {
  for (const end of ends) end()
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

/** Runs `end` when this process ends, unless the returned function is called before. */
export function atExit(end: () => void): () => void {
  ends.add(end)
  return () => ends.delete(end)
}

export function folderAtExit(folder: string): () => void {
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  const forget = atExit(remove)
  return () => {
    forget()
    remove()
  }
}

/** Runs a program whose output goes to a file. It dies with this process. */
export function runLogged(
  log: string,
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
): ChildProcess {
  const file = openSync(log, 'a')
  const [program = '', ...parameters] = command
  const child = spawn(program, parameters, {
    stdio: ['ignore', file, file],
    cwd: join(log, '..'),
    env: environment,
  })
  closeSync(file)
  const forget = atExit(() => child.kill('SIGKILL'))
  child.on('exit', forget)
  return child
}

export const isRunning = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode === null && signalCode === null

/** Sends a signal; false if there is no such process. */
export function signalTo(pid: number | undefined, signal: NodeJS.Signals | 0): boolean {
  if (pid === undefined || pid <= 1) return false
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

/** The process with its descendants, parents first. */
export function familyOf(pid: number): readonly number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = parentOf(Number(name))
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const found = [pid]
  for (const one of found) found.push(...(children.get(one) ?? []))
  return found
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}

/** The postmaster of a data directory, if it runs. */
export function postmasterOf(folder: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n')[0])
    return signalTo(pid, 0) ? pid : undefined
  } catch {
    return undefined
  }
}

/** The path of the program of a process, if it runs. */
export function programOf(pid: number | undefined): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`)
  } catch {
    return undefined
  }
}

export function lastLines(file: string): string {
  return readFileSync(file, 'utf8').split('\n').slice(-30).join('\n')
}
