/**
 * Random calls and jobs in random order leave a key as a small model predicts, and everything decrypts.
 * @module
 */
import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KmsError } from '../../src/errors.ts'
import { engines } from '../store/engines.ts'
import { openRotatingKey, start } from './rotating-key.ts'

const dayMs = 86_400_000

interface Model {
  now: number
  state: 'Enabled' | 'Disabled' | 'PendingDeletion'
  schedule: { readonly days: number; readonly next: number } | undefined
  startedAt: number | undefined
  readonly rotations: { readonly type: 'AUTOMATIC' | 'ON_DEMAND'; readonly at: number }[]
}

/** The error that the model predicts for a call; undefined for success. */
type Outcome = string | undefined

const notEnabled = ({ state }: Model): Outcome =>
  state === 'Enabled'
    ? undefined
    : state === 'Disabled'
      ? 'DisabledException'
      : 'KMSInvalidStateException'

function enable(model: Model, asked: number | undefined): Outcome {
  const refusal = notEnabled(model)
  if (refusal !== undefined) return refusal
  const days = asked ?? model.schedule?.days ?? 365
  if (days !== model.schedule?.days) model.schedule = { days, next: model.now + days * dayMs }
  return undefined
}

function disable(model: Model): Outcome {
  const refusal = notEnabled(model)
  if (refusal === undefined) model.schedule = undefined
  return refusal
}

function onDemand(model: Model): Outcome {
  const refusal = notEnabled(model)
  if (refusal !== undefined || model.startedAt !== undefined) return refusal
  if (model.rotations.filter(({ type }) => type === 'ON_DEMAND').length >= 25) {
    return 'LimitExceededException'
  }
  if (model.schedule !== undefined && model.schedule.next - model.now <= 1_200_000) {
    return 'ConflictException'
  }
  model.startedAt = model.now
  return undefined
}

function become(model: Model, state: Model['state'], from: readonly Model['state'][]): Outcome {
  if (!from.includes(model.state)) return 'KMSInvalidStateException'
  model.state = state
  return undefined
}

function jobs(model: Model): void {
  const { now, startedAt } = model
  if (startedAt !== undefined && (startedAt > now || now - startedAt >= 250)) {
    model.rotations.push({ type: 'ON_DEMAND', at: now })
    model.startedAt = undefined
  }
  const { schedule } = model
  if (schedule === undefined || schedule.next > now || model.state !== 'Enabled') return
  const { days, next } = schedule
  const soonest = next + days * dayMs
  model.rotations.push({ type: 'AUTOMATIC', at: now })
  model.schedule = { days, next: soonest > now ? soonest : now + days * dayMs }
}

const living = ['Enabled', 'Disabled'] as const

/** Each call by name: its effect on the model, and the call on the key. */
const calls = {
  EnableKey: (model: Model) => become(model, 'Enabled', living),
  DisableKey: (model: Model) => become(model, 'Disabled', living),
  ScheduleKeyDeletion: (model: Model) => become(model, 'PendingDeletion', living),
  CancelKeyDeletion: (model: Model) => become(model, 'Disabled', ['PendingDeletion']),
  DisableKeyRotation: disable,
  RotateKeyOnDemand: onDemand,
} as const

type Step =
  | { readonly call: keyof typeof calls }
  | { readonly enable: number | undefined }
  | { readonly advance: number }
  | { readonly look: true }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ call: fc.constantFrom(...(Object.keys(calls) as (keyof typeof calls)[])) }),
  fc.record({ call: fc.constantFrom('RotateKeyOnDemand' as const, 'EnableKey' as const) }),
  fc.record({ enable: fc.constantFrom(undefined, 90, 91, 365, 2560) }),
  fc.record({
    advance: fc.oneof(
      fc.constantFrom(0, 1, 249, 250, 1_200_000, dayMs, 90 * dayMs, 90 * dayMs - 1_200_000),
      fc.integer({ min: -400 * dayMs, max: 3000 * dayMs }),
    ),
  }),
  fc.record({ look: fc.constant(true as const) }),
)

// The default size prefers lists of a few steps.
const lives = fc.array(step, { maxLength: 60, size: 'max' })

// Each run has a database of its own: too many for one server's connections.
for (const engine of engines.filter(({ name }) => name === 'sqlite')) {
  test(`${engine.name}: any calls and jobs in any order leave a key as the model says`, async (t) => {
    const property = fc.asyncProperty(lives, async (steps) => {
      const world = await openRotatingKey(t, engine)
      const model: Model = {
        now: start,
        state: 'Enabled',
        schedule: undefined,
        startedAt: undefined,
        rotations: [],
      }
      const sealed: Uint8Array[] = []
      for (const one of steps) {
        const perform = async (name: string, input: object, expected: Outcome): Promise<void> => {
          const outcome = await world.call(name, input).then(
            () => undefined,
            (error: unknown) =>
              error instanceof KmsError ? error.code : assert.fail(String(error)),
          )
          assert.equal(outcome, expected, name)
        }
        if ('call' in one) await perform(one.call, {}, calls[one.call](model))
        else if ('enable' in one) {
          const input = { RotationPeriodInDays: one.enable }
          await perform('EnableKeyRotation', input, enable(model, one.enable))
        } else if ('advance' in one) {
          world.now = model.now += one.advance
        } else {
          await world.look()
          jobs(model)
        }
        sealed.push(await world.seal(String(sealed.length)))
        const { state, startedAt, schedule, rotations } = model
        const key = await world.row()
        assert.equal(key.state, state)
        const { KeyId, ...status } = await world.call('GetKeyRotationStatus')
        const shown = state === 'PendingDeletion' ? undefined : schedule
        assert.deepEqual(status, {
          KeyRotationEnabled: shown !== undefined,
          ...(shown && {
            RotationPeriodInDays: shown.days,
            NextRotationDate: new Date(shown.next),
          }),
          ...(startedAt !== undefined && { OnDemandRotationStartDate: new Date(startedAt) }),
        })
        const { Rotations } = await world.call('ListKeyRotations', { Limit: 1000 })
        const list = Rotations as readonly Readonly<Record<string, unknown>>[]
        assert.deepEqual(
          list.map(({ RotationType, RotationDate }) => [RotationType, RotationDate]),
          rotations.map(({ type, at }) => [type, new Date(at)]),
        )
        const lastId = list.at(-1)?.['KeyMaterialId'] ?? key.currentMaterialId
        assert.equal(key.currentMaterialId, lastId)
        assert(KeyId)
      }
      for (const [index, blob] of sealed.entries()) {
        assert.equal(await world.open(blob), String(index))
      }
      assert.equal((await world.events()).length, model.rotations.length)
    })
    await fc.assert(property, { numRuns: 25 })
  })
}
