/** Remembered uses of keys, and when they are saved. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKeyUsages, type KeyUsagesOptions } from '../../src/lifecycle/last-usage.ts'
import type { KeyRecord, KeyRef } from '../../src/model/key.ts'
import type { LastUsage, NotedUsage } from '../../src/model/last-usage.ts'
import { newKey } from '../store/records.ts'

const key = (keyId: string, members: Partial<KeyRecord> = {}): KeyRecord => ({
  ...newKey(keyId),
  rowVersion: 1,
  ...members,
})

const use = (usedAt: number, eventId = `event ${usedAt}`) =>
  ({ operation: 'Encrypt', usedAt, eventId, requestId: `request ${usedAt}` }) as const

const never = 2 ** 30

/** A store that remembers what it is given, and waits or fails on request. */
function createStore() {
  const rows = new Map<string, LastUsage>()
  const saves: (readonly NotedUsage[])[] = []
  const heard: (() => void)[] = []
  const control = {
    rows,
    saves,
    before: async (): Promise<void> => undefined,
    /** Resolves when this many saves have ended. */
    ended: (count: number): Promise<void> =>
      new Promise((resolve) => {
        const look = (): void => (saves.length >= count ? resolve() : void heard.push(look))
        look()
      }),
    lost: new Set<string>(),
    findLastUsage: async ({ accountId, region, keyId }: KeyRef) =>
      control.lost.has(keyId)
        ? ({ accountId, region, keyId, unproved: true } as const)
        : rows.get(keyId),
    async saveLastUsages(usages: readonly NotedUsage[]) {
      try {
        await control.before()
        for (const { keyCreatedAt: _, ...usage } of usages) rows.set(usage.keyId, usage)
      } finally {
        saves.push(usages)
        for (const look of heard.splice(0)) look()
      }
    },
  }
  return control
}

function opened(options: Partial<KeyUsagesOptions> = {}) {
  const store = createStore()
  const errors: Error[] = []
  const usages = createKeyUsages({
    store,
    since: 1,
    onError: (error) => errors.push(error),
    saveDelayMs: never,
    ...options,
  })
  return { store, errors, usages }
}

const savedIds = (store: ReturnType<typeof createStore>): string[][] =>
  store.saves.map((usages) => usages.map(({ keyId }) => keyId))

test('a use is seen at once, before anything is saved', async () => {
  const { store, usages } = opened()
  assert.equal(await usages.lastOf(key('k')), undefined)
  usages.note(key('k'), use(5))
  assert.equal((await usages.lastOf(key('k')))?.eventId, 'event 5')
  assert.equal(await usages.lastOf(key('other')), undefined)
  assert.deepEqual(store.saves, [])
  assert.equal(usages.since, 1)
})

test('what another worker has noted and not yet saved is known here', async () => {
  const { usages: other } = opened()
  const { usages } = opened({ elsewhere: async (name) => other.remembered(name) })
  usages.note(key('k'), use(8))
  other.note(key('k'), use(9))
  other.note(key('k2', { createdAt: 7 }), use(9))
  assert.equal((await usages.lastOf(key('k')))?.usedAt, 9)
  assert.equal(await usages.lastOf(key('k2')), undefined)
})

test('a use in memory is known although the row of the key is missing', async () => {
  const { store, usages } = opened()
  const { accountId, region } = key('k')
  store.lost.add('k')
  assert.deepEqual(await usages.lastOf(key('k')), { accountId, region, keyId: 'k', unproved: true })
  usages.note(key('k'), use(5))
  assert.equal((await usages.lastOf(key('k')))?.eventId, 'event 5')
})

test('many uses of a key are saved as one, together with those of other keys', async () => {
  const { store, usages } = opened({ saveDelayMs: 1 })
  for (let at = 1; at <= 1000; at += 1) usages.note(key('a'), use(at))
  usages.note(key('b'), use(7))
  await store.ended(1)
  assert.deepEqual(savedIds(store), [['a', 'b']])
  assert.equal(store.rows.get('a')?.usedAt, 1000)
  assert.equal((await usages.lastOf(key('a')))?.usedAt, 1000)
  await usages.close()
  assert.equal(store.saves.length, 1)
})

test('the later of two uses is the last, whichever is noted last, in memory and in the store', async () => {
  const { store, usages } = opened()
  usages.note(key('k'), use(9))
  usages.note(key('k'), use(8))
  assert.equal((await usages.lastOf(key('k')))?.usedAt, 9)
  store.rows.set('k', { ...key('k'), ...use(10) })
  assert.equal((await usages.lastOf(key('k')))?.usedAt, 10)
  usages.note(key('k'), use(10, 'of this node'))
  assert.equal((await usages.lastOf(key('k')))?.eventId, 'of this node')
})

test('replicas in other Regions and keys of other accounts have uses of their own', async () => {
  const { usages } = opened()
  usages.note(key('mrk-1'), use(5))
  assert.equal(await usages.lastOf(key('mrk-1', { region: 'eu-north-1' })), undefined)
  assert.equal(await usages.lastOf(key('mrk-1', { accountId: '444455556666' })), undefined)
})

test('a use of a key that is gone is not a use of a later key of the same id', async () => {
  const { usages } = opened()
  usages.note(key('seeded'), use(5))
  const next = key('seeded', { createdAt: key('seeded').createdAt + 1 })
  assert.equal(await usages.lastOf(next), undefined)
  usages.note(next, use(3))
  assert.equal((await usages.lastOf(next))?.usedAt, 3)
})

test('uses that are being saved are known, and uses noted meanwhile are saved next', async () => {
  const { store, usages } = opened({ saveDelayMs: 1 })
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  store.before = () => {
    begin()
    return held
  }
  usages.note(key('k'), use(5))
  await begun
  assert.equal((await usages.lastOf(key('k')))?.usedAt, 5)
  usages.note(key('k'), use(6))
  assert.equal((await usages.lastOf(key('k')))?.usedAt, 6)
  release()
  await store.ended(2)
  assert.equal(store.rows.get('k')?.usedAt, 6)
})

test('a flood of distinct keys is saved before its time', async () => {
  const { store, usages } = opened({ savedMax: 3 })
  for (const id of ['a', 'b']) usages.note(key(id), use(1))
  assert.deepEqual(store.saves, [])
  usages.note(key('c'), use(1))
  await store.ended(1)
  assert.deepEqual(savedIds(store), [['a', 'b', 'c']])
})

test('a failed save is retried, and does not undo a later use', async () => {
  const { store, errors, usages } = opened({ saveDelayMs: 1, savedMax: 2 })
  store.before = async () => {
    usages.note(key('a'), use(6)) // while the first is under way
    store.before = async () => undefined
    throw new Error('disk full')
  }
  usages.note(key('a'), use(5))
  usages.note(key('b'), use(5))
  await store.ended(2)
  assert.deepEqual([store.rows.get('a')?.usedAt, store.rows.get('b')?.usedAt], [6, 5])
  assert.equal(errors.length, 1)
  assert.match(String(errors[0]?.cause), /disk full/)
})

test('while the store fails, memory is bounded: the longest unused key goes first', async () => {
  const { store, usages } = opened({ savedMax: 2, keptMax: 3 })
  store.before = () => Promise.reject(new Error('no'))
  for (const [at, id] of ['a', 'b', 'c', 'a', 'd'].entries()) {
    usages.note(key(id), use(at))
    await new Promise(setImmediate)
  }
  const known = async (id: string): Promise<boolean> => (await usages.lastOf(key(id))) !== undefined
  assert.deepEqual(await Promise.all(['a', 'b', 'c', 'd'].map(known)), [true, false, true, true])
  // One attempt: the next one waits for the timer, however many notes there are.
  assert.equal(store.saves.length, 1)
})

test('a stop saves what is in memory, and waits for a save under way', async () => {
  const { store, usages } = opened({ savedMax: 2 })
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  store.before = () => held
  usages.note(key('a'), use(1))
  usages.note(key('b'), use(1))
  usages.note(key('c'), use(1))
  const closed = usages.close()
  release()
  await closed
  assert.deepEqual(savedIds(store), [['a', 'b'], ['c']])
  assert.deepEqual([...store.rows.keys()], ['a', 'b', 'c'])
})

test('a stop ends even if the store fails, and reports it', async () => {
  const { store, errors, usages } = opened()
  store.before = () => Promise.reject(new Error('gone'))
  usages.note(key('a'), use(1))
  await usages.close()
  assert.equal(errors.length, 1)
})
