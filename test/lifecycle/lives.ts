/**
 * Keys of a real server beside the model of their lives, call by call. The server's clock stands still but
 * when the test moves it.
 * @module
 */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import type { KMSClient } from '@aws-sdk/client-kms'
import { setClock } from '../compat/test-clock.ts'
import { startTestServer } from '../harness.ts'
import { call, type Given, type Outcome } from './life-calls.ts'
import { compareLife, compareProof, learnMaterials, provedIn } from './life-compare.ts'
import { born, dayMs, pass, type Kind, type Life } from './life-model.ts'
import {
  addProof,
  hasParameters,
  makeLivingKey,
  outcomeOf,
  type LivingKey,
  type Spares,
} from './living-key.ts'
import { ask } from './living-key-calls.ts'

export const places = ['us-west-2', 'eu-north-1', 'us-east-1'] as const
export type KeyRegion = (typeof places)[number]

/** A key, and what the model says of it. */
export interface Living {
  readonly key: LivingKey
  readonly life: Life
}

export interface Asked extends Given {
  readonly call: string
  readonly place: KeyRegion
  /** For how many days imported material is there; for ever when left out. */
  readonly lastsDays?: number | undefined
}

export interface Lives {
  begin(kind: Kind): Promise<Living>
  /** Asks a call of the key and of the model; undefined where there is nothing to ask it with. */
  ask(living: Living, asked: Asked): Promise<{ readonly outcome: Outcome } | undefined>
  /** Moves the clock on: what is due by it is done. */
  advance(living: Living, ms: number): Promise<void>
  /** All keys that there have been. */
  readonly begun: readonly Living[]
  readonly directory: string
  /** What the key has made holds where the model says so, and nowhere else. */
  prove(living: Living): Promise<void>
}

export async function openLives(t: TestContext): Promise<Lives> {
  let stands = Date.now()
  let now = stands
  const time = { system: () => stands, monotonic: () => stands }
  // The lives take decades: no record may be too old to be looked at.
  const settings = { TRENT_TEST_API: 'on', TRENT_AUDIT_RETENTION_DAYS: '36500' }
  const server = await startTestServer(settings, { time })
  t.after(() => server.stop())
  const clients = new Map<string, KMSClient>()
  const client = (region: string): KMSClient => {
    const known = clients.get(region) ?? server.client({ region })
    clients.set(region, known)
    return known
  }
  const spares: Spares = { client, made: new Map() }
  const begun: Living[] = []
  const agree = async ({ key, life }: Living): Promise<void> => {
    await learnMaterials(key, life)
    await compareLife(key, life, places, 0)
    const current = life.materials.find(({ role }) => role === 'CURRENT')?.name
    for (const place of life.keys.keys()) {
      // One of each Region and material.
      const name = `${place} ${current}`
      const made = key.proofs.some((proof) => proof.name === name)
      if (made || provedIn(life, place) !== undefined) continue
      await addProof(key, place, name)
    }
  }
  // It is the clock of all keys.
  const moveTo = async (to: number): Promise<void> => {
    now = to
    assert.equal(await setClock(server.url, new Date(now).toISOString()), now)
    for (const { life } of begun) pass(life, now)
  }
  return {
    begun,
    directory: server.directory,
    async begin(kind) {
      // Signatures are of the present: a clock that stood still for minutes would take none.
      stands = Date.now()
      await moveTo(now + 3_600_000)
      const key = await makeLivingKey(kind, places[0], spares)
      const living = { key, life: born(kind, places[0], now) }
      begun.push(living)
      await agree(living)
      return living
    },
    async ask(living, { call: name, place, lastsDays, ...more }) {
      const { key, life } = living
      // Dates of expiry are whole seconds.
      const validTo = lastsDays && Math.floor((now + lastsDays * dayMs) / 1000) * 1000
      const given = { ...more, validTo }
      const asking = isAskable(living, name, place) ? ask(key, name, place, now, given) : undefined
      if (asking === undefined) return undefined
      const real = outcomeOf(asking)
      const before = structuredClone(life)
      const outcome = call(life, name, place, given)
      const what = `${name} of ${life.kind.spec} ${life.kind.origin} in ${place}, which is `
      const { state = 'gone' } = before.keys.get(place) ?? {}
      assert.equal(await real, outcome, `${what}${state}, ${JSON.stringify(given)}`)
      // A key that is late for its rotation is rotated when it is enabled.
      if (name === 'EnableKey' && outcome === undefined) await moveTo(now)
      if (!isDeepStrictEqual(before, life)) await agree(living)
      return { outcome }
    },
    async advance(living, ms) {
      await moveTo(now + ms)
      await agree(living)
    },
    async prove({ key, life }) {
      for (const place of places) {
        for (const proof of key.proofs) {
          await compareProof(key, life, proof, place)
        }
      }
      await compareLife(key, life, places, 0)
    },
  }
}

/** What nothing could be said of: material that there is no token for. */
function isAskable({ key, life }: Living, name: string, place: KeyRegion): boolean {
  if (name !== 'ImportKeyMaterial' || life.kind.origin === 'AWS_KMS') return true
  const updating = life.keys.get(place)?.state === 'Updating'
  return !updating || hasParameters(key, place, life.now)
}
