/**
 * Rotation by hand, as AWS's guides tell it: the alias moves to another key, and what was sealed through it
 * before opens with the key that it was sealed under.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys-manually.html
 * @module
 */
import assert from 'node:assert/strict'
import {
  CreateAliasCommand,
  EncryptCommand,
  ListAliasesCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms'
import type { Kind } from '../lifecycle/life-model.ts'
import { makeProof } from '../lifecycle/life-proofs.ts'
import type { Living } from '../lifecycle/lives.ts'
import { outcomeOf } from '../lifecycle/living-key.ts'
import type { Seeded } from './seeded.ts'
import { places, type Year } from './year.ts'

const AliasName = 'alias/by-hand'
const kind: Kind = {
  spec: 'SYMMETRIC_DEFAULT',
  usage: 'ENCRYPT_DECRYPT',
  origin: 'AWS_KMS',
  multiRegion: false,
}

export interface AliasStory {
  readonly days: readonly (readonly [day: number, act: (year: Year) => Promise<void>])[]
  /** The alias means its latest key alone; something more is sealed through it. */
  check(year: Year): Promise<void>
}

/** @param random chooses the days */
export function aliasStory(random: Seeded): AliasStory {
  const [place] = places
  let target: Living | undefined
  const move = async (year: Year): Promise<void> => {
    const next = await year.begin(kind, place, `by hand ${year.livings.length}`)
    const { keyId: TargetKeyId } = next.key
    const made = target !== undefined
    // Both are safe to repeat where nobody knows whether they were done.
    const outcome = await year.repeat(() => {
      const kms = year.server.client(place)
      const input = { AliasName, TargetKeyId }
      return outcomeOf(
        made ? kms.send(new UpdateAliasCommand(input)) : kms.send(new CreateAliasCommand(input)),
      )
    })
    if (outcome !== undefined) assert.deepEqual([made, outcome], [false, 'AlreadyExistsException'])
    target = next
  }
  const retire = (call: string) => async (year: Year) => {
    const retired = year.livings.find(({ key, life }) => {
      const old = key.kind === kind && key !== target?.key
      return old && life.keys.get(place)?.state === (call === 'DisableKey' ? 'Enabled' : 'Disabled')
    })
    if (retired !== undefined) await year.act(retired, { call, place, days: 15 })
  }
  return {
    days: [
      [random.below(10), move],
      [80 + random.below(20), move],
      [100 + random.below(20), retire('DisableKey')],
      [170 + random.below(20), move],
      [200 + random.below(20), retire('DisableKey')],
      [230 + random.below(20), retire('ScheduleKeyDeletion')],
      [280 + random.below(20), move],
    ],
    async check(year) {
      if (target === undefined) return
      const kms = year.server.client(place)
      const { keyId: KeyId, proofs } = target.key
      const { Aliases = [] } = await kms.send(new ListAliasesCommand({ KeyId }))
      assert.deepEqual(
        Aliases.map((each) => each.AliasName),
        [AliasName],
      )
      const Plaintext = Buffer.from('through the alias')
      const sealed = await kms.send(new EncryptCommand({ KeyId: AliasName, Plaintext }))
      assert.equal(sealed.KeyId?.split('/').at(-1), KeyId)
      // Whoever opens it names no key, or the one that the alias pointed to.
      const proof = await makeProof(kms, place, AliasName, kind, proofs.length)
      proofs.push({ ...proof, name: AliasName })
    },
  }
}
