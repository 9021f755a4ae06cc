/**
 * The key-state table, cell by cell: each operation on a key of each kind, in each Region's role and in
 * each possible state, compared with the model.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyState } from '@aws-sdk/client-kms'
import { callNames } from './life-calls.ts'
import { bring, cellKinds, isAskedOf, statesOf, type Role } from './life-cells.ts'
import { compareEvents } from './life-events.ts'
import type { Kind } from './life-model.ts'
import { hasParameters } from './living-key.ts'
import { openLives, places, type Asked, type Living, type Lives, type KeyRegion } from './lives.ts'

/** The input of a call: the shortest that can succeed. */
function askedOf({ life }: Living, call: string, place: KeyRegion): Asked {
  switch (call) {
    case 'ReplicateKey':
      return { call, place, to: places.find((one) => !life.keys.has(one)) ?? places[2] }
    case 'UpdatePrimaryRegion':
      return { call, place, to: places.find((one) => life.keys.has(one) && one !== place) ?? place }
    case 'ScheduleKeyDeletion':
      return { call, place, days: 7 }
    case 'ImportKeyMaterial':
      return { call, place, material: 'A' }
    default:
      return { call, place }
  }
}

/** Calls that need something which the key got while it was enabled. */
const takingAway = ['UpdateAlias away', 'DeleteAlias', 'RevokeGrant', 'RetireGrant']

interface Cell {
  readonly kind: Kind
  readonly role: Role
  readonly state: KeyState | undefined
}

/** Gives an enabled key what it needs in its later states: aliases, grants, an import token. */
async function furnish(lives: Lives, living: Living, { kind, role, state }: Cell): Promise<void> {
  if (living.life.keys.size === 0 || state === 'Creating') return
  const place = await bring(lives, living, role, 'Enabled')
  if (place === undefined) return
  // In all Regions: their roles may change on the way.
  for (const each of places.filter((one) => living.life.keys.has(one))) {
    for (const call of ['CreateAlias', 'CreateAlias', 'CreateGrant', 'CreateGrant']) {
      await lives.ask(living, { call, place: each })
    }
    if (kind.origin === 'AWS_KMS' || hasParameters(living.key, each, living.life.now)) continue
    await lives.ask(living, { call: 'GetParametersForImport', place: each })
  }
}

/** Makes every call in one state of one role. Returns the last life that continued. */
async function walk(lives: Lives, begun: Living, cell: Cell): Promise<Living> {
  const { kind, role, state } = cell
  let living = begun
  const unasked: string[] = []
  await furnish(lives, living, cell)
  for (const call of callNames.filter((name) => isAskedOf(kind, name))) {
    let place = await bring(lives, living, role, state)
    if (place === undefined) {
      living = await lives.begin(kind)
      await furnish(lives, living, cell)
      place = await bring(lives, living, role, state)
    }
    assert(place !== undefined, `no ${role} becomes ${state}`)
    const answered = await lives.ask(living, askedOf(living, call, place))
    if (answered === undefined) unasked.push(call)
  }
  await lives.prove(living)
  // A grant needs a key that has been enabled; a key that never existed has nothing.
  const bare = state === 'Creating' || (role === 'replica' && state === undefined)
  assert.deepEqual(
    unasked.filter((call) => !bare || !takingAway.includes(call)),
    [],
  )
  return living
}

test('each operation does to a key in each state what the table says', async (t) => {
  const lives = await openLives(t)
  for (const kind of cellKinds) {
    const { spec, origin, multiRegion } = kind
    const roles = multiRegion ? (['primary', 'replica'] as const) : (['single'] as const)
    for (const role of roles) {
      let living = await lives.begin(kind)
      for (const state of statesOf(kind, role)) {
        const name = `${spec} ${origin} ${role} that is ${state ?? 'gone'}`
        await t.test(name, async () => {
          living = await walk(lives, living, { kind, role, state })
        })
      }
    }
  }
  await compareEvents(lives.directory, lives.begun)
})
