/** Lines of the same error are counted and not repeated; all others are written. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { limitErrors } from '../../src/server/limited-log.ts'

interface Line {
  readonly level: number
  readonly msg: string
  readonly leftOut?: number
}

test('an error that repeats has five lines a minute, and the next line counts the others', () => {
  const lines: Line[] = []
  let now = 0
  const log = limitErrors(
    pino(
      { level: 'trace' },
      { write: (line: string) => void lines.push(JSON.parse(line) as Line) },
    ),
    () => now,
  )
  const full = (n: number): Error =>
    new Error(`segment ${n} ended by an error`, { cause: new Error('ENOSPC') })
  for (let n = 0; n < 1000; n += 1) log.error({ err: full(n) }, 'the audit journal has failed')
  assert.equal(lines.length, 5)
  log.error({ err: new Error('EIO') }, 'the audit journal has failed')
  for (let n = 0; n < 20; n += 1) log.error({ table: 'keys', id: `k${n}` }, 'a row is forged')
  for (let n = 0; n < 20; n += 1) log.warn({ err: full(n) }, 'a warning')
  for (let n = 0; n < 20; n += 1) log.error('only a message')
  assert.equal(lines.length, 5 + 1 + 20 + 20 + 20)
  now += 60_000
  log.error({ err: full(7) }, 'the audit journal has failed')
  assert.deepEqual([lines.length, lines.at(-1)?.leftOut], [67, 995])
  log.error({ err: full(8) }, 'the audit journal has failed')
  assert.deepEqual([lines.length, lines.at(-1)?.leftOut], [68, undefined])
  assert.equal(lines.at(-1)?.level, 50)
})

test('the workers of a server share the lines, and each has one', () => {
  const written = (workers: number): number => {
    let lines = 0
    const log = limitErrors(pino({}, { write: () => void (lines += 1) }), () => 0, workers)
    for (let n = 0; n < 100; n += 1)
      log.error({ err: new Error('ENOSPC') }, 'the journal has failed')
    return lines
  }
  assert.deepEqual([1, 2, 16].map(written), [5, 2, 1])
})
