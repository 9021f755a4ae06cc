/** Grants in memory over a real store: what is read of it is counted. @module */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { GrantName } from '../../src/policy/caller-names.ts'
import type { GrantConstraints } from '../../src/model/grant.ts'
import type { GrantQuestion } from '../../src/model/grant-terms.ts'
import type { GrantSetsLimits } from '../../src/cache/grant-sets.ts'
import { createCachedGrants } from '../../src/cache/cached-grants.ts'
import type { Store } from '../../src/store/store.ts'
import type { NewGrant } from '../../src/store/tables/grant-rows.ts'
import { engines, storeOf } from '../store/engines.ts'
import {
  accountId,
  insertAccounts,
  insertKeys,
  newGrant,
  newKey,
  region,
} from '../store/records.ts'
import { readGrantsFrom, type ReadGrants } from '../../src/cache/read-grants.ts'

const [engine] = engines
export const key = { accountId, region, keyId: 'k' }
export const user: GrantName = { grantee: `arn:aws:iam::${accountId}:user/u`, granteeId: 'AIDAU' }
export const encrypt: GrantQuestion = { operation: 'Encrypt' }

export function grant(index: number, constraints?: GrantConstraints): NewGrant {
  return newGrant(index.toString(16).padStart(64, '0'), 'k', {
    granteePrincipal: user.grantee,
    granteeId: user.granteeId,
    ...(constraints && { constraints }),
  })
}

export const pair = (index: number): GrantConstraints => ({
  EncryptionContextSubset: { purpose: `p-${index}` },
})
export const asking = (index: number): GrantQuestion => ({
  operation: 'Encrypt',
  encryptionContext: { purpose: `p-${index}` },
})

export interface World {
  readonly store: Store
  readonly forged: readonly string[]
  /** Calls of the store since the last time, by name, and the rows that they answered. */
  readonly counted: () => Readonly<Record<string, number>>
  readonly errors: Error[]
  readonly undecided: string[]
  readonly find: (question?: GrantQuestion, name?: GrantName) => Promise<readonly string[]>
  /** Ends when what is read in the background has been. */
  readonly settled: () => Promise<void>
  readonly insert: (...grants: readonly NewGrant[]) => Promise<void>
  readonly revoke: (...indices: readonly number[]) => Promise<void>
  readonly database: Awaited<ReturnType<NonNullable<typeof engine>['open']>>['database']
}

export async function open(
  t: TestContext,
  limits: Partial<GrantSetsLimits> = {},
  read: (plain: ReadGrants) => ReadGrants = (plain) => plain,
): Promise<World> {
  assert.ok(engine)
  const { database } = await engine.open(t)
  const { store, forged } = storeOf(database)
  await insertAccounts(store)
  await insertKeys(store, newKey('k'), newKey('other'))
  let counts: Record<string, number> = {}
  const count = (name: string, rows: number): void => {
    counts[name] = (counts[name] ?? 0) + 1
    counts['rows'] = (counts['rows'] ?? 0) + rows
  }
  const counting = <A extends unknown[], R>(
    name: string,
    call: (...given: A) => Promise<readonly R[]>,
  ): ((...given: A) => Promise<readonly R[]>) => {
    return async (...given) => {
      const answer = await call(...given)
      count(name, answer.length)
      return answer
    }
  }
  const errors: Error[] = []
  const undecided: string[] = []
  let reading: Promise<void> = Promise.resolve()
  const readGrants = read(readGrantsFrom(store))
  const known = createCachedGrants({
    store: {
      listGrants: counting('listGrants', (...given) => store.listGrants(...given)),
      findGrants: counting('findGrants', (...given) => store.findGrants(...given)),
      grantsInBuckets: counting('grantsInBuckets', (...given) => store.grantsInBuckets(...given)),
    },
    readGrants: (...given) => {
      count('readGrants', 0)
      reading = readGrants(...given)
      return reading
    },
    onError: (error) => errors.push(error),
    onUndecided: (_key, grantee) => undecided.push(grantee),
    limits: { fewMax: 10, callsBeforeReading: 3, ...limits },
  })
  let applied = store.epoch()
  return {
    store,
    database,
    forged,
    errors,
    undecided,
    counted() {
      const before = counts
      counts = {}
      return before
    },
    async find(question = encrypt, name = user) {
      const changes = (await store.changesSince(applied)) ?? []
      applied = store.epoch()
      await known.apply(changes)
      return (await known.find(key, name, question, 1)).map(({ grantId }) => grantId)
    },
    async settled() {
      await reading.catch(() => undefined)
      await setImmediate()
      // Comes after what is read of the changes meanwhile: the store answers in turn.
      await store.findKey(key)
      await setImmediate()
    },
    insert: (...grants) =>
      store.change(async (transaction) => {
        for (const each of grants) await transaction.insertGrant(each)
      }),
    revoke: (...indices) =>
      store.change(async (transaction) => {
        const ids = indices.map((index) => grant(index).grantId)
        for (const found of await transaction.findGrants(key, ids)) {
          await transaction.deleteGrant(found)
        }
      }),
  }
}

export const many = (
  count: number,
  constraints?: (index: number) => GrantConstraints,
): NewGrant[] => Array.from({ length: count }, (_, index) => grant(index, constraints?.(index)))
