/**
 * Keys of a real server next to the models of their lives, call by call. The server's clock moves only
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

/** A key and its model. */
export interface Living {
  readonly key: LivingKey
  readonly life: Life
}

export interface Asked extends Given {
  readonly call: string
  readonly place: KeyRegion
  /** For how many days imported material is valid; for ever when left out. */
  readonly lastsDays?: number | undefined
}

export interface Lives {
  begin(kind: Kind): Promise<Living>
  /** Makes a call on the key and on the model; undefined if a needed input does not exist. */
  ask(living: Living, asked: Asked): Promise<{ readonly outcome: Outcome } | undefined>
  /** Advances the clock; everything due by then is done. */
  advance(living: Living, ms: number): Promise<void>
  /** All keys that were ever made. */
  readonly begun: readonly Living[]
  readonly directory: string
  /** Checks that the key's proofs hold where the model says so, and nowhere else. */
  prove(living: Living): Promise<void>
}

export async function openLives(t: TestContext): Promise<Lives> {
  let stands = Date.now()
  let now = stands
  const time = { system: () => stands, monotonic: () => stands }
  // The lives take decades, and all their records must stay readable.
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
      // One for each Region and material.
      const name = `${place} ${current}`
      const made = key.proofs.some((proof) => proof.name === name)
      if (made || provedIn(life, place) !== undefined) continue
      await addProof(key, place, name)
    }
  }
  // All keys share the clock.
  const moveTo = async (to: number): Promise<void> => {
    now = to
    assert.equal(await setClock(server.url, new Date(now).toISOString()), now)
    for (const { life } of begun) pass(life, now)
  }
  return {
    begun,
    directory: server.directory,
    async begin(kind) {
      // Signatures have the present time, and a server with a clock that stood still for minutes would
      // refuse them.
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
      // Expiry dates are whole seconds.
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
      // A key with an overdue rotation is rotated when it is enabled.
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

/** Material cannot be imported without a token. */
function isAskable({ key, life }: Living, name: string, place: KeyRegion): boolean {
  if (name !== 'ImportKeyMaterial' || life.kind.origin === 'AWS_KMS') return true
  const updating = life.keys.get(place)?.state === 'Updating'
  return !updating || hasParameters(key, place, life.now)
}
