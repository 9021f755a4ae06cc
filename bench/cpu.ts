/**
 * The CPU time and the memory of a process, read from Linux's `/proc`. The kernel counts the nanoseconds that
 * each thread has run, so that the figures hold on a busy machine too, where times by the clock do not.
 * @see https://docs.kernel.org/scheduler/sched-stats.html "/proc/<pid>/schedstat"
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'

export interface Cpu {
  /** Nanoseconds since the start of the process, by name of thread; threads of one name are added up. */
  readonly threads: ReadonlyMap<string, number>
  /** Nanoseconds of all threads, those that ended included. Counted in ticks of 10 ms. */
  readonly process: number
}

/** Nanoseconds of a clock tick, the unit of `/proc/<pid>/stat`: USER_HZ is 100 on every platform of Node. */
const tick = 10_000_000

export const canReadCpu = process.platform === 'linux'

/** @throws if there is no such process, or no `/proc` */
export function readCpu(pid: number): Cpu {
  const threads = new Map<string, number>()
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const folder = `/proc/${pid}/task/${thread}`
    const name = readFileSync(`${folder}/comm`, 'utf8').trim()
    const time = parseSchedstat(readFileSync(`${folder}/schedstat`, 'utf8'))
    threads.set(name, (threads.get(name) ?? 0) + time)
  }
  return { threads, process: parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8')) }
}

/** Nanoseconds on a core. */
export function parseSchedstat(text: string): number {
  const [, time] = /^(\d+) \d+ \d+\s*$/.exec(text) ?? []
  if (time === undefined) throw new Error(`not a schedstat: ${text}`)
  return Number(time)
}

/** Nanoseconds of user and system time. */
export function parseStat(text: string): number {
  // The name stands in parentheses and may hold anything.
  const [state, ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [user, system] = [Number(fields[10]), Number(fields[11])]
  if (state === undefined || !(user + system >= 0)) throw new Error(`not a stat: ${text}`)
  return (user + system) * tick
}

/** What ran from `before` to `after`. */
export function cpuBetween(before: Cpu, after: Cpu): Cpu {
  const threads = [...after.threads].map(
    ([name, time]) => [name, time - (before.threads.get(name) ?? 0)] as const,
  )
  return { threads: new Map(threads), process: after.process - before.process }
}

export function addCpu(one: Cpu, other: Cpu): Cpu {
  const threads = new Map(one.threads)
  for (const [name, time] of other.threads) threads.set(name, (threads.get(name) ?? 0) + time)
  return { threads, process: one.process + other.process }
}

/**
 * Nanoseconds of the threads that serve requests: Node's main thread, and the other workers of Trent. Absent for
 * a program that has no such threads.
 */
export function mainTime({ threads }: Cpu): number | undefined {
  const serving = [...threads].filter(([name]) => /^(node-MainThread|trent worker \d+)$/.test(name))
  return serving.length === 0 ? undefined : serving.reduce((sum, [, time]) => sum + time, 0)
}

/** Resident memory in bytes. */
export function readMemory(pid: number): number {
  const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024
}
