/** The seal by a passphrase. @module */
import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import { passphraseSeal, type Costs } from '../../src/seals/passphrase.ts'
import { SealRefused } from '../../src/seals/seal.ts'
import { realRandom } from '../crypto/fixed.ts'
import { attemptsOnChanged, refusal, rootKey, sealed } from './sealed.ts'

/** The lowest that a record may have. */
const low: Costs = { memoryKiB: 19_456, passes: 1, lanes: 1 }
const seal = passphraseSeal(realRandom, low)
const words = 'correct horse battery staple'
const secret = (text: string): Buffer => Buffer.from(text)

test('a root key that a passphrase sealed opens with it, in any form of its letters', async () => {
  const { record, shares } = await sealed(seal, { passphrase: secret('pässwörter lang genug') })
  assert.equal(shares, undefined)
  const opening = seal.open(record, 'deployment')
  assert.deepEqual(opening.progress(), { asks: 'passphrase' })
  for (const form of ['NFC', 'NFD'] as const) {
    const root = await opening.give(secret('pässwörter lang genug'.normalize(form)))
    assert.ok(root?.equals(createSecretKey(rootKey)))
  }
})

test('the usual costs are 128 MiB, three passes and four lanes, and are in the record', async () => {
  const usual = passphraseSeal(realRandom)
  const { record } = await sealed(usual, { passphrase: secret(words) })
  const text = Buffer.from(record).toString('latin1')
  assert.match(text, /"memoryKiB":131072,"passes":3,"lanes":4/)
  // A seal of other costs reads them from the record.
  assert.ok(await seal.open(record, 'deployment').give(secret(words)))
})

test('a wrong passphrase, another deployment and changed bytes do not open it', async () => {
  const { record } = await sealed(seal, { passphrase: secret(words) })
  const wrong = refusal(/^the passphrase is wrong, or /)
  const opening = seal.open(record, 'deployment')
  for (const given of [`${words}.`, words.slice(1), words.toUpperCase(), 'x'.repeat(2000)]) {
    await assert.rejects(opening.give(secret(given)), wrong)
  }
  await assert.rejects(opening.give(), refusal(/no passphrase/))
  await assert.rejects(opening.give(secret('')), refusal(/no passphrase/))
  await assert.rejects(seal.open(record, 'another').give(secret(words)), wrong)
  // A refusal disturbs nothing.
  assert.ok(await opening.give(secret(words)))
})

test('a record with any one bit changed is refused, and never opens', async () => {
  const { record } = await sealed(seal, { passphrase: secret(words) })
  const outcomes = await attemptsOnChanged(record, (changed) =>
    seal.open(changed, 'deployment').give(secret(words)),
  )
  for (const outcome of outcomes) assert.ok(outcome instanceof SealRefused, String(outcome))
})

test('costs out of bounds are refused before any memory is used', async () => {
  const { record } = await sealed(seal, { passphrase: secret(words) })
  const costs: readonly (readonly [string, string])[] = [
    ['"memoryKiB":19456', '"memoryKiB":99999'.replace('99999', '19455')],
    ['"memoryKiB":19456,"passes":1,"lanes":1', '"memoryKiB":99999999,"passes":1,"lane":1'],
    ['"passes":1,', '"passes":0,'],
    ['"lanes":1}', '"lanes":0}'],
    ['"passes":1,"lanes":1}', '"passes":17,"lane":1}'],
    ['"passes":1,"lanes":1}', '"passes":"","lane":1}'],
  ]
  for (const [from, to] of costs) {
    const text = Buffer.from(record).toString('latin1')
    assert.ok(text.includes(from))
    const changed = Buffer.from(text.replace(from, to), 'latin1')
    changed.writeUInt16BE(changed.readUInt16BE(1) + to.length - from.length, 1)
    assert.throws(() => seal.open(changed, 'deployment'), refusal(/is damaged or was changed/))
  }
})

test('a passphrase has 12 characters at least', async () => {
  for (const passphrase of ['', 'elevenchars', 'x'.repeat(1025)]) {
    await assert.rejects(
      sealed(seal, { passphrase: secret(passphrase) }),
      refusal(/at least 12 characters/),
    )
  }
  await assert.rejects(sealed(seal), refusal(/a passphrase is needed/))
  assert.ok(await sealed(seal, { passphrase: secret('twelve chars') }))
})
