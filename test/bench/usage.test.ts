/** Reading the usage of a process. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  addUsage,
  canReadUsage,
  mainTime,
  parseBusy,
  parseSchedstat,
  parseStat,
  readMemory,
  readUsage,
  usageBetween,
  type Usage,
} from '../../bench/usage.ts'

const usage = (threads: Record<string, number>, rest: Partial<Usage> = {}): Usage => ({
  threads: new Map(Object.entries(threads)),
  process: 0,
  written: 0,
  others: 0,
  ...rest,
})

test('a schedstat begins with the nanoseconds on a core', () => {
  assert.equal(parseSchedstat('945984134 560039906 1793\n'), 945_984_134)
})

test('a stat is read behind its name, which may hold spaces and parentheses', () => {
  const fields = 'S 1 2 3 0 -1 4194560 52688 0 0 0 151 32 0 0 20 0 13'
  assert.equal(parseStat(`7 (a) b (c) ${fields}`), (151 + 32) * 10_000_000)
})

test('what ended before it was read has used nothing', () => {
  assert.equal(parseSchedstat(''), 0)
  assert.equal(parseStat(''), 0)
})

test('a core that waits for a disk is not busy', () => {
  assert.equal(parseBusy('cpu  1 2 3 400 500 6 7 80 0 0\ncpu0 9 9'), 19 * 10_000_000)
})

test('the main time is that of the threads that serve', () => {
  const threads = { 'node-MainThread': 5, 'trent worker 1': 3, 'trent store': 9 }
  assert.equal(mainTime(usage(threads)), 8)
  assert.equal(mainTime(usage({ 'local-kms': 9 })), undefined)
})

test('a thread that began in between counts from zero', () => {
  const before = usage({ a: 4 }, { process: 10, written: 1, others: 2 })
  const after = usage({ a: 6, b: 3 }, { process: 30, written: 5, others: 9 })
  const between = usage({ a: 2, b: 3 }, { process: 20, written: 4, others: 7 })
  assert.deepEqual(usageBetween(before, after), between)
  assert.deepEqual(addUsage(between, before), after)
})

test(
  "this process's own time grows by what it runs",
  { skip: !canReadUsage && 'there is no /proc here' },
  () => {
    const before = readUsage(process.pid)
    const used = process.cpuUsage()
    do {
      // Works.
    } while (process.cpuUsage(used).user < 100_000)
    const { threads, process: all } = usageBetween(before, readUsage(process.pid))
    const ran = threads.get('node-MainThread') ?? 0
    assert.ok(ran > 50_000_000, `${ran} ns`)
    assert.ok(all > 50_000_000, `${all} ns`)
    assert.ok(readMemory(process.pid) > 10e6)
  },
)
