/** A root key that is moved between every two kinds of seals, with a restart after each move. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CreateKeyCommand, DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import type { SealKind } from '../../src/seals/seal.ts'
import { startTestServer } from '../harness.ts'
import { enough, sealedAnew, testedSeals, type TestedSeal } from './every-seal.ts'

/** A round through all ordered pairs: `a b`, `b a`, `a c`, `c a`, …, `b c`, `c b`, … */
function roundThrough(kinds: readonly SealKind[]): readonly SealKind[] {
  const [first, ...others] = kinds
  if (first === undefined) return []
  const there = others.flatMap((other) => [first, other])
  const [next] = others
  return next === undefined ? [first] : [...there, first, ...roundThrough(others)]
}

test('a root key that moves between every two seals opens the same ciphertext', async (t) => {
  const seals = new Map((await testedSeals(t)).map((seal) => [seal.kind, seal]))
  const of = (kind: SealKind): TestedSeal => seals.get(kind) ?? assert.fail()
  const kinds = [...seals.keys()]
  const [first = 'file', ...moves] = roundThrough(kinds)
  const pairs = moves.map((kind, index) => `${[first, ...moves][index]} ${kind}`)
  const wanted = kinds.flatMap((one) => kinds.flatMap((to) => (one === to ? [] : [`${one} ${to}`])))
  assert.deepEqual(
    wanted.filter((pair) => !pairs.includes(pair)),
    [],
  )

  const more = Object.assign({}, ...[...seals.values()].map(({ settings }) => settings)) as object
  const start = (kind: SealKind, directory?: string) =>
    startTestServer(
      { ...more, TRENT_SEAL: of(kind).setting },
      directory === undefined ? {} : { directory },
    )
  let server = await start(first)
  t.after(() => server.stop())
  await server.server.ready
  const { KeyMetadata } = await server.client().send(new CreateKeyCommand({}))
  const input = { KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from('hello') }
  const { CiphertextBlob } = await server.client().send(new EncryptCommand(input))
  const ask = (operation: string, given?: object) =>
    callOperator(server.directory, operation, given)
  /** What the people of the current seal give. */
  let secrets: readonly string[] = []
  for (const next of moves) {
    secrets = await sealedAnew(ask, { seal: of(next).setting }, of(next), secrets)
    await server.stop('keep')
    server = await start(next, server.directory)
    for (const secret of enough(secrets)) await ask('Unseal', { secret })
    await server.server.ready
    const { Plaintext } = await server.client().send(new DecryptCommand({ CiphertextBlob }))
    assert.equal(Buffer.from(Plaintext ?? []).toString(), 'hello', `after ${next}`)
  }
})
