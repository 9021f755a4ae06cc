import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  array,
  assert as assertProperty,
  asyncProperty,
  constantFrom,
  integer,
  record,
} from 'fast-check'
import { createOutbox, drainOutbox } from '../../../src/audit/outbox.ts'
import type { OutboxRow } from '../../../src/store/schema/changes.ts'
import { append, directory, eventId, heldIds, open, recordOf, verify } from '../journal-fixture.ts'
import { createMemoryFiles, failure, type Fate, type FileOperation } from '../memory-files.ts'

/** A repeatable random generator (mulberry32). */
function chances(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

type Ending = 'close' | 'kill' | 'power'

interface Life {
  readonly calls: number
  readonly faultRate: number
  readonly ending: Ending
}

/** Several lives of one server over one disk and one store. */
async function live(seed: number, lives: readonly Life[]): Promise<number> {
  const chance = chances(seed)
  const files = createMemoryFiles()
  const rows = new Map<string, OutboxRow>()
  const store = {
    listOutbox: (limit: number) => Promise.resolve([...rows.values()].slice(0, limit)),
    deleteOutbox: (ids: readonly string[]) => {
      if (chance() < 0.2) return Promise.reject(new Error('the store is away'))
      for (const id of ids) rows.delete(id)
      return Promise.resolve()
    },
  }
  const acknowledged = new Set<string>()
  const changes = new Set<string>()
  let next = 0
  let turns: Promise<void>[] = []

  for (const { calls, faultRate, ending } of lives) {
    files.plan = (operation: FileOperation): Fate => {
      if (chance() < faultRate) return failure(chance() < 0.5 ? 'EIO' : 'ENOSPC')
      return operation === 'write' && chance() < 0.2
        ? { short: 1 + Math.floor(chance() * 300) }
        : 'done'
    }
    const opened = await open(files, { segmentBytes: 4096 }).catch(() => undefined)
    if (opened === undefined) {
      files.kill()
      continue
    }
    const { journal } = opened
    const drained = await drainOutbox({ store, journal, directory, files }).then(
      () => true,
      () => false,
    )
    const outbox = createOutbox({ store, journal, onError: () => undefined, retryDelayMs: 1 })
    for (let call = 0; call < (drained ? calls : 0); call += 1) {
      const n = (next += 1)
      const id = eventId(n)
      const acknowledge = () => void acknowledged.add(id)
      const refuse = () => undefined
      if (chance() < 0.5) {
        turns.push(append(journal, n, 'x'.repeat(chance() * 600)).then(acknowledge, refuse))
      } else if (journal.healthy) {
        rows.set(id, { eventId: id, record: recordOf(id), ...journal.position })
        changes.add(id)
        turns.push(outbox.settle(id, recordOf(id)).then(acknowledge, refuse))
      }
      if (chance() < 0.3) await new Promise((resolve) => void setImmediate(resolve))
    }
    if (ending === 'close') {
      await Promise.all(turns)
      await outbox.close()
      await journal.close()
    } else if (ending === 'kill') {
      files.kill()
    } else {
      files.cutPower(() => chance() < 0.5)
    }
    turns = []
  }

  files.plan = () => 'done'
  const { journal, errors } = await open(files, { segmentBytes: 4096 })
  assert.deepEqual(errors, [])
  while (rows.size > 0)
    await drainOutbox({ store, journal, directory, files }).catch(() => undefined)
  await journal.close()
  const report = await verify(files)
  assert.deepEqual(report.breaks, [])
  const held = new Set(await heldIds(files))
  for (const id of acknowledged) assert.ok(held.has(id), `${id} was acknowledged and is missing`)
  for (const id of changes) assert.ok(held.has(id), `${id} was committed and has no record`)
  assert.equal(held.size, report.records)
  return acknowledged.size
}

test('whatever fails and however it ends, nothing acknowledged is missing or there twice', async (t) => {
  const seed = Number(process.env['TRENT_TEST_SEED'] ?? Date.now() % 2 ** 31)
  t.diagnostic(`seed ${seed}: TRENT_TEST_SEED repeats it`)
  let total = 0
  const life = record({
    calls: integer({ min: 0, max: 40 }),
    faultRate: constantFrom(0, 0.01, 0.05, 0.2),
    ending: constantFrom<Ending>('close', 'kill', 'power'),
  })
  await assertProperty(
    asyncProperty(integer(), array(life, { minLength: 1, maxLength: 6 }), async (s, lives) => {
      total += await live(s, lives)
    }),
    { seed, numRuns: 150 },
  )
  // A run without acknowledged records would prove nothing.
  assert.ok(total > 1000, `${total} acknowledged`)
})
