/** What all keys of the year are to be, and what they have made. @module */
import assert from 'node:assert/strict'
import { compareLife, compareProof, learnMaterials, provedIn } from '../lifecycle/life-compare.ts'
import type { Proof } from '../lifecycle/life-proofs.ts'
import type { Living } from '../lifecycle/lives.ts'
import { addProof, outcomeOf } from '../lifecycle/living-key.ts'
import type { Seeded } from './seeded.ts'
import { placesOf, toleranceMs, type Year } from './year.ts'

/** How many questions are under way at once. */
const atOnce = 6

async function inTurns(work: readonly (() => Promise<void>)[]): Promise<void> {
  const left = [...work]
  const next = async (): Promise<void> => {
    for (let one = left.pop(); one !== undefined; one = left.pop()) {
      await one()
    }
  }
  await Promise.all(Array.from({ length: atOnce }, next))
}

/** Each key is what its model says, and what it has ever made holds exactly where it should. */
export async function checkYear(year: Year, random: Seeded): Promise<void> {
  await inTurns(
    year.livings.map((living) => async () => {
      const { key, life } = living
      await learnMaterials(key, life)
      await compareLife(key, life, placesOf(living), toleranceMs)
    }),
  )
  for (const living of year.livings) await makeMore(year, living, random)
  const proved = year.livings.flatMap((living) =>
    living.key.proofs.map((proof) => ({ living, proof, choice: random.below(8) })),
  )
  await inTurns(
    proved.map(
      ({ living, proof, choice }) =>
        () =>
          checkProof(year, living, proof, choice),
    ),
  )
}

/** Under each material and in each Region something is made, and something more now and then. */
async function makeMore(year: Year, living: Living, random: Seeded): Promise<void> {
  const { key, life } = living
  const current = life.materials.find(({ role }) => role === 'CURRENT')?.name
  for (const place of placesOf(living)) {
    const name = `${place} ${current}`
    const made = key.proofs.some((proof) => proof.name === name)
    if (provedIn(life, place) !== undefined || (made && random.below(8) > 0)) continue
    await year.repeat(() => addProof(key, place, name))
  }
}

async function checkProof(year: Year, living: Living, proof: Proof, choice: number): Promise<void> {
  const { key, life } = living
  for (const place of placesOf(living)) {
    await compareProof(key, life, proof, place)
    if (proof.sealed !== undefined && choice === 0) {
      await compareProof(key, life, proof, place, false)
    }
    if (provedIn(life, place) !== undefined || choice !== 1) continue
    const [tampered, error] = proof.tampered
    const kms = key.client(place)
    assert.equal(await outcomeOf(tampered(kms, key.keyId)), error)
    const other = proof.sealed && anotherSymmetric(year, key.keyId, place)
    if (other === undefined) continue
    assert.equal(await outcomeOf(proof.again(kms, other)), 'IncorrectKeyException')
  }
}

function anotherSymmetric({ livings }: Year, keyId: string, place: string): string | undefined {
  return livings.find(
    ({ key, life }) =>
      key.keyId !== keyId &&
      key.kind.spec === 'SYMMETRIC_DEFAULT' &&
      provedIn(life, place) === undefined,
  )?.key.keyId
}
