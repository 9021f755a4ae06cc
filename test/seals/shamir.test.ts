/** The seal by shares: their text, whom a refusal names, and that only the threshold opens. @module */
import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import { SealRefused } from '../../src/seals/seal.ts'
import { shamirSeal } from '../../src/seals/shamir.ts'
import { realRandom } from '../crypto/fixed.ts'
import { attemptsOnChanged, refusal, rootKey, sealed } from './sealed.ts'

const seal = shamirSeal(realRandom)
const bytes = (text = ''): Buffer => Buffer.from(text)

/** Every choice of `size` of `among`. */
function choices<T>(among: readonly T[], size: number): readonly (readonly T[])[] {
  if (size === 0) return [[]]
  return among.flatMap((first, at) =>
    choices(among.slice(at + 1), size - 1).map((rest) => [first, ...rest]),
  )
}

async function five(): Promise<{
  readonly record: Uint8Array
  readonly shares: readonly string[]
}> {
  const { record, shares = [] } = await sealed(seal, { shares: 5, threshold: 3 })
  return { record, shares }
}

test('any three of five shares open the seal, and never two', async () => {
  const { record, shares } = await five()
  assert.equal(new Set(shares).size, 5)
  for (const chosen of choices(shares, 3)) {
    const opening = seal.open(record, 'deployment')
    const [first, second, third] = chosen
    assert.equal(await opening.give(bytes(first)), undefined)
    assert.equal(await opening.give(bytes(second)), undefined)
    // The same share again is no further share.
    assert.equal(await opening.give(bytes(second)), undefined)
    assert.ok((await opening.give(bytes(third)))?.equals(createSecretKey(rootKey)))
  }
})

test('a share names its set, its number and its threshold, and progress names those given', async () => {
  const { record, shares } = await five()
  const [, set] =
    /^trent-share:1:([0-9a-f]{8}):1:3:[0-9a-f]{66}:[0-9a-f]{8}$/.exec(shares[0] ?? '') ?? []
  assert.ok(set)
  const opening = seal.open(record, 'deployment')
  await opening.give(bytes(shares[3]))
  await opening.give(bytes(shares[1]))
  assert.deepEqual(opening.progress(), { asks: 'shares', set, given: [2, 4], needed: 3 })
  opening.forget()
  assert.deepEqual(opening.progress().given, [])
  await opening.give(bytes(shares[0]))
  assert.equal(await opening.give(bytes(shares[1])), undefined)
})

test('a share is read in capitals and with spaces', async () => {
  const { record, shares } = await five()
  const opening = seal.open(record, 'deployment')
  const [first = '', second = '', third = ''] = shares
  await opening.give(bytes(first.toUpperCase()))
  await opening.give(bytes(`  ${second.replaceAll(/(.{8})/g, '$1 ')}\r\n`))
  assert.ok(await opening.give(bytes(third)))
})

test('a mistyped, foreign or forged share is named, and disturbs nobody', async () => {
  const { record, shares } = await five()
  const other = await five()
  const opening = seal.open(record, 'deployment')
  const [first = '', second = '', third = '', fourth = ''] = shares
  await opening.give(bytes(first))
  for (const [index, letter] of Array.from(second).entries()) {
    const typed = `${second.slice(0, index)}${letter === '7' ? '8' : '7'}${second.slice(index + 1)}`
    await assert.rejects(opening.give(bytes(typed)), refusal(/mistyped|not a share/))
  }
  await assert.rejects(
    opening.give(bytes(other.shares[1])),
    refusal(/^share 2 of set [0-9a-f]{8} is of another seal/),
  )
  // Someone who knows the form makes a share with a right checksum.
  const forger = shamirSeal({ ...realRandom, bytes: (length) => seeded(first, length) })
  const forged = (await sealed(forger, { shares: 5, threshold: 3 })).shares ?? []
  assert.equal(forged[1]?.slice(0, 23), second.slice(0, 23))
  await assert.rejects(
    opening.give(bytes(forged[1])),
    refusal(/^share 2 of set [0-9a-f]{8} is not genuine$/),
  )
  for (const text of ['', 'trent-share:2', 'x'.repeat(5000), first.slice(0, -1)]) {
    await assert.rejects(opening.give(bytes(text)), refusal(/not a share/))
  }
  await assert.rejects(opening.give(), refusal(/a share is needed/))
  assert.deepEqual(opening.progress().given, [1])
  await opening.give(bytes(third))
  assert.ok(await opening.give(bytes(fourth)))
})

/** Random bytes whose first four are the id of this share's set. */
function seeded(share: string, length: number): Uint8Array {
  const set = Buffer.from(share.split(':')[2] ?? '', 'hex')
  return length === 4 ? set : realRandom.bytes(length)
}

test('no refusal quotes a share', async () => {
  const { record, shares } = await five()
  const other = await five()
  const opening = seal.open(record, 'deployment')
  const given = [other.shares[0] ?? '', (shares[0] ?? '').replace(/.$/, 'x'), `${shares[0] ?? ''}1`]
  for (const text of given) {
    const error: unknown = await opening.give(bytes(text)).catch((refused: unknown) => refused)
    assert.ok(error instanceof SealRefused)
    assert.ok(!error.message.includes(text.slice(25, 40)))
  }
})

test('when everyone must prove their share, the threshold is not enough', async () => {
  const { record, shares } = await five()
  const opening = seal.open(record, 'deployment', 'everyone')
  assert.equal(opening.progress().needed, 5)
  for (const share of shares.slice(0, 4)) assert.equal(await opening.give(bytes(share)), undefined)
  assert.ok(await opening.give(bytes(shares[4])))
})

test('a record with any one bit changed is refused, and never opens with any shares', async () => {
  const { record, shares } = await sealed(seal, { shares: 2, threshold: 2 })
  const outcomes = await attemptsOnChanged(record, async (changed) => {
    const opening = seal.open(changed, 'deployment')
    await opening.give(bytes(shares?.[0]))
    return opening.give(bytes(shares?.[1]))
  })
  for (const outcome of outcomes) assert.ok(outcome instanceof SealRefused, String(outcome))
})

test('a record that asks for fewer shares than it was made with does not open', async () => {
  const { record, shares } = await five()
  const text = Buffer.from(record).toString('latin1').replace('"threshold":3', '"threshold":2')
  const opening = seal.open(Buffer.from(text, 'latin1'), 'deployment')
  await opening.give(bytes(shares[0]))
  await assert.rejects(opening.give(bytes(shares[1])), refusal(/is damaged or was changed/))
  // Neither does a share of a further seal that says so itself.
  assert.deepEqual(opening.progress().given, [])
})

test('2 to 16 shares with a threshold from 2 are made, and nothing else', async () => {
  for (const [shares, threshold] of [
    [1, 1],
    [2, 1],
    [3, 4],
    [17, 2],
    [2.5, 2],
    [0, 0],
  ] as const) {
    await assert.rejects(sealed(seal, { shares, threshold }), refusal(/2 to 16 shares/))
  }
  const { record, shares = [] } = await sealed(seal, { shares: 16, threshold: 16 })
  const opening = seal.open(record, 'deployment')
  for (const share of shares.slice(1)) assert.equal(await opening.give(bytes(share)), undefined)
  assert.ok(await opening.give(bytes(shares[0])))
  assert.equal((await sealed(seal)).shares?.length, 5)
})
