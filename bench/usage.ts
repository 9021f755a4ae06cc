/**
 * CPU time, memory and bytes written of a process and of the processes that it started, read from Linux's
 * `/proc`. The kernel counts the nanoseconds that each thread has run, so that the figures hold on a busy machine
 * too, where times by the clock do not.
 * @see https://docs.kernel.org/scheduler/sched-stats.html "/proc/<pid>/schedstat"
 * @see https://docs.kernel.org/filesystems/proc.html
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'

export interface Usage {
  /** Nanoseconds since the start of the process, by name of thread; threads of one name are added up. */
  readonly threads: ReadonlyMap<string, number>
  /** Nanoseconds of all threads, including those that ended. Counted in ticks of 10 ms. */
  readonly process: number
  /** Bytes that the process has written to files, sockets and pipes. */
  readonly written: number
  /** Nanoseconds that the machine's cores were busy for processes other than this one and this Node process. */
  readonly others: number
}

export const noUsage: Usage = { threads: new Map(), process: 0, written: 0, others: 0 }

/** Nanoseconds of a clock tick, the unit of the two files named `stat`: USER_HZ is 100 on every platform of Node. */
const tick = 10_000_000

export const canReadUsage = existsSync('/proc/self/schedstat')

/** The usage of these processes together so far. Everything is 0 where there is no `/proc`. */
export function readUsage(...pids: readonly number[]): Usage {
  if (!canReadUsage) return noUsage
  const threads = new Map<string, number>()
  let all = 0
  let written = 0
  for (const process of pids.flatMap(withChildren)) {
    const folder = `/proc/${process}`
    for (const thread of list(`${folder}/task`)) {
      const name = read(`${folder}/task/${thread}/comm`).trim()
      const time = parseSchedstat(read(`${folder}/task/${thread}/schedstat`))
      threads.set(name, (threads.get(name) ?? 0) + time)
    }
    all += parseStat(read(`${folder}/stat`))
    written += Number(/^wchar: (\d+)/m.exec(read(`${folder}/io`))?.[1] ?? 0)
  }
  const others = parseBusy(read('/proc/stat')) - all - parseStat(read('/proc/self/stat'))
  return { threads, process: all, written, others }
}

/** A thread or a process may end before it is read: its file is then empty. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function list(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function withChildren(pid: number): readonly number[] {
  const children = list(`/proc/${pid}/task`).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  )
  return [pid, ...children.flatMap(withChildren)]
}

/** Nanoseconds on a core. */
export function parseSchedstat(text: string): number {
  return Number(/^(\d+) \d+ \d+\s*$/.exec(text)?.[1] ?? 0)
}

/** Nanoseconds of user and system time. */
export function parseStat(text: string): number {
  // The name stands in parentheses and may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * tick
}

/** Nanoseconds that all cores together were neither idle, nor waiting for a disk, nor taken by a hypervisor. */
export function parseBusy(text: string): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (
    /^cpu +(.*)/.exec(text)?.[1] ?? ''
  )
    .split(' ')
    .map(Number)
  return (user + nice + system + irq + softirq) * tick
}

/** What was used from `before` to `after`. */
export function usageBetween(before: Usage, after: Usage): Usage {
  return combine(after, before, (one, other) => one - other)
}

export function addUsage(one: Usage, other: Usage): Usage {
  return combine(one, other, (first, second) => first + second)
}

function combine(one: Usage, other: Usage, join: (one: number, other: number) => number): Usage {
  const names = new Set([...one.threads.keys(), ...other.threads.keys()])
  const threads = [...names].map(
    (name) => [name, join(one.threads.get(name) ?? 0, other.threads.get(name) ?? 0)] as const,
  )
  return {
    threads: new Map(threads),
    process: join(one.process, other.process),
    written: join(one.written, other.written),
    others: join(one.others, other.others),
  }
}

/**
 * Nanoseconds of the threads that serve requests: Node's main thread, and the other workers of Trent. Absent for
 * a program that has no such threads.
 */
export function mainTime({ threads }: Usage): number | undefined {
  const serving = [...threads].filter(([name]) => /^(node-MainThread|trent worker \d+)$/.test(name))
  return serving.length === 0 ? undefined : serving.reduce((sum, [, time]) => sum + time, 0)
}

/** Resident memory in bytes, of the process and of those that it started. */
export function readMemory(pid: number): number {
  const kilobytes = withChildren(pid).map(
    (process) => /VmRSS:\s+(\d+) kB/.exec(read(`/proc/${process}/status`))?.[1] ?? 0,
  )
  return 1024 * kilobytes.reduce((sum: number, each) => sum + Number(each), 0)
}
