/** Reading CPU time from the threads of a process. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  canReadCpu,
  cpuBetween,
  mainTime,
  parseSchedstat,
  parseStat,
  readCpu,
} from '../../bench/cpu.ts'

test('a schedstat begins with the nanoseconds on a core', () => {
  assert.equal(parseSchedstat('945984134 560039906 1793\n'), 945_984_134)
  assert.throws(() => parseSchedstat('0.1'), /not a schedstat/)
})

test('a stat is read behind its name, which may hold spaces and parentheses', () => {
  const fields = 'S 1 2 3 0 -1 4194560 52688 0 0 0 151 32 0 0 20 0 13'
  assert.equal(parseStat(`7 (a) b (c) ${fields}`), (151 + 32) * 10_000_000)
  assert.throws(() => parseStat('7 (node) S'), /not a stat/)
})

test('the main time is that of the threads that serve', () => {
  const threads = { 'node-MainThread': 5, 'trent worker 1': 3, 'trent store': 9 }
  assert.equal(mainTime({ threads: new Map(Object.entries(threads)), process: 20 }), 8)
  assert.equal(mainTime({ threads: new Map([['local-kms', 9]]), process: 9 }), undefined)
})

test('a thread that began in between counts from zero', () => {
  const before = { threads: new Map([['a', 4]]), process: 10 }
  const after = { threads: new Map([['a', 6]]).set('b', 3), process: 30 }
  assert.deepEqual(cpuBetween(before, after), {
    threads: new Map([['a', 2]]).set('b', 3),
    process: 20,
  })
})

test(
  "this process's own time grows by what it runs",
  { skip: !canReadCpu && 'there is no /proc here' },
  () => {
    const before = readCpu(process.pid)
    const used = process.cpuUsage()
    do {
      // Works.
    } while (process.cpuUsage(used).user < 100_000)
    const { threads, process: all } = cpuBetween(before, readCpu(process.pid))
    const ran = threads.get('node-MainThread') ?? 0
    assert.ok(ran > 50_000_000, `${ran} ns`)
    assert.ok(all > 50_000_000, `${all} ns`)
  },
)
