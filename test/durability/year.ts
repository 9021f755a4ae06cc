/**
 * A year of a server's life by the clock that tests move: the keys that live through it, the models of their
 * lives, and the server's deaths. What it has answered is done, what it could not answer is done whole or not
 * at all.
 * @module
 */
import assert, { AssertionError } from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { CreateKeyCommand, DescribeKeyCommand, paginateListKeys } from '@aws-sdk/client-kms'
import { advance, setClock } from '../compat/test-clock.ts'
import { call, type Given, type Outcome } from '../lifecycle/life-calls.ts'
import { compareLife, learnMaterials } from '../lifecycle/life-compare.ts'
import { born, dayMs, pass, type Kind, type Life } from '../lifecycle/life-model.ts'
import type { Asked, Living } from '../lifecycle/lives.ts'
import { livingKey, outcomeOf, type Spares } from '../lifecycle/living-key.ts'
import { ask } from '../lifecycle/living-key-calls.ts'
import { settings } from './fixed-account.ts'
import { openMortalServer, type MortalServer } from './mortal-server.ts'
import type { Seeded } from './seeded.ts'

export const places = ['us-west-2', 'eu-north-1', 'us-east-1'] as const
/** Seconds that a test takes are told from days of its story. */
export const toleranceMs = 3_600_000

/** The Regions in which something can become of a key. */
export function placesOf({ key, life }: Living): readonly string[] {
  return key.kind.multiRegion ? places : [life.primary]
}

/**
 * Each day of the story is a little longer: what its acts make due is done before those of the day on which it is
 * due, however long they have taken.
 */
const storyDayMs = dayMs + 600_000

export interface Year {
  readonly server: MortalServer
  /** Milliseconds since the epoch. */
  readonly begun: number
  readonly livings: readonly Living[]
  /** How many calls the server died of when they were answered, done without an answer, and not done. */
  readonly fates: Readonly<Record<'answered' | 'silent' | 'undone', number>>
  begin(kind: Kind, place: string, name: string): Promise<Living>
  /** Asks a call of a key: it must come to what the model says. */
  act(living: Living, asked: Asked): Promise<Outcome>
  /** Does what can be done twice, and does it again where the server has died of it. */
  repeat<T>(work: () => Promise<T>): Promise<T>
  /** Moves the clock on to a day: what is due by it is done. */
  to(day: number): Promise<void>
}

/** How often the server dies: one in so many. */
interface Mortality {
  readonly acts: number
  /** Of what can be repeated: keys are made, and make something. */
  readonly makings: number
  /** Of the clock's. */
  readonly moves: number
}

export async function openYear(
  t: TestContext,
  folder: string,
  random: Seeded,
  mortality: Mortality,
): Promise<Year> {
  const server = await openMortalServer(t, folder, {
    ...settings,
    TRENT_TEST_API: 'on',
    TRENT_AUDIT_RETENTION_DAYS: '36500',
  })
  const begun = Math.floor(Date.now() / 1000) * 1000
  const livings: Living[] = []
  const spares: Spares = { client: server.client, made: new Map() }
  const fates = { answered: 0, silent: 0, undone: 0 }
  let now = begun
  let deathsSeen = 0
  let today = 0
  const timeAt = (time: number): Promise<unknown> =>
    setClock(server.url(), new Date(time).toISOString())
  const passTo = (time: number): void => {
    now = time
    for (const { life } of livings) pass(life, now)
  }
  /**
   * What passes is over a second later. A server that has begun again by the system's clock is shown first
   * what has begun in its future, which it ends.
   */
  const settle = async (): Promise<void> => {
    const diedAlready = deathsSeen
    deathsSeen = server.deaths()
    if (deathsSeen === diedAlready) await advance(server.url(), '1s')
    else {
      await advance(server.url(), '0s')
      await timeAt(now + 1000)
    }
    passTo(now + 1000)
  }
  const strikes = (oneIn: number): boolean => random.below(oneIn) === 0
  const agrees = async (living: Living, life: Life): Promise<void> => {
    const { key } = living
    await learnMaterials(key, life)
    await compareLife(key, life, placesOf(living), toleranceMs)
  }

  /** A call that the server dies of: it is looked at what has become of it, and asked again where nothing has. */
  const actAndDie = async (living: Living, asked: Asked, wanted: Life): Promise<Outcome> => {
    const { key, life } = living
    const { call: name, place } = asked
    const work = async (): Promise<Outcome> =>
      outcomeOf(ask(key, name, place, now, givenOf(asked, now)) ?? assert.fail(name))
    const came = await server.dieDuring(work, random.below(14))
    await settle()
    const outcome = call(wanted, name, place, givenOf(asked, now - 1000))
    pass(wanted, now)
    if (came !== undefined) assert.equal(came.answer, outcome, name)
    try {
      await agrees(living, wanted)
      fates[came === undefined ? 'silent' : 'answered'] += 1
    } catch (error) {
      // What was answered may not be lost.
      if (came !== undefined || !(error instanceof AssertionError)) throw error
      await agrees(living, life)
      fates.undone += 1
      const again = await outcomeOf(
        ask(key, name, place, now, givenOf(asked, now)) ?? assert.fail(name),
      )
      assert.equal(again, call(life, name, place, givenOf(asked, now)), `${name} again`)
      return again
    }
    Object.assign(life, wanted)
    return outcome
  }

  return {
    server,
    begun,
    livings,
    fates,
    async begin(kind, place, name) {
      const { spec: KeySpec, usage: KeyUsage, origin: Origin, multiRegion: MultiRegion } = kind
      const input = { KeySpec, KeyUsage, Origin, MultiRegion, Description: name }
      const make = async (): Promise<string | undefined> =>
        (await server.client(place).send(new CreateKeyCommand(input))).KeyMetadata?.KeyId
      let made: string | undefined
      if (strikes(mortality.makings)) {
        const came = await server.dieDuring(make, random.below(14))
        await settle()
        const found = await keysNamed(server, place, name)
        assert(found.length <= 1, `${name} is there ${found.length} times`)
        if (came !== undefined) assert.deepEqual(found, [came.answer], `${name} was answered`)
        made = found[0]
      }
      const keyId = made ?? (await make()) ?? assert.fail('no key was made')
      const living = { key: livingKey(kind, keyId, spares), life: born(kind, place, now) }
      livings.push(living)
      return living
    },
    async act(living, asked) {
      const { key, life } = living
      const { call: name, place } = asked
      let outcome: Outcome
      if (strikes(mortality.acts)) outcome = await actAndDie(living, asked, structuredClone(life))
      else {
        const given = givenOf(asked, now)
        outcome = await outcomeOf(ask(key, name, place, now, given) ?? assert.fail(name))
        const what = `${name} of ${key.keyId} in ${place} on day ${today}`
        assert.equal(outcome, call(life, name, place, given), what)
      }
      await settle()
      await agrees(living, life)
      return outcome
    },
    async repeat(work) {
      if (!strikes(mortality.makings)) return work()
      const came = await server.dieDuring(work, random.below(14))
      await settle()
      return came === undefined ? work() : came.answer
    },
    async to(day) {
      assert(day >= today, `day ${day} is behind day ${today}`)
      const time = begun + day * storyDayMs
      today = day
      if (time <= now) return
      if (strikes(mortality.moves)) {
        if (random.below(3) === 0) await server.die()
        else await server.dieDuring(() => timeAt(time), random.below(40))
      }
      await timeAt(time)
      deathsSeen = server.deaths()
      passTo(time)
    },
  }
}

/** How long material lasts is told by its date. */
function givenOf({ lastsDays, ...given }: Asked, now: number): Given {
  return { ...given, validTo: lastsDays === undefined ? undefined : now + lastsDays * dayMs }
}

async function keysNamed(
  server: MortalServer,
  place: string,
  name: string,
): Promise<readonly string[]> {
  const client = server.client(place)
  const found: string[] = []
  for await (const { Keys = [] } of paginateListKeys({ client }, {})) {
    for (const { KeyId = '' } of Keys) {
      const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId }))
      if (KeyMetadata?.Description === name) found.push(KeyId)
    }
  }
  return found
}
