/** A root key that is moved between every two kinds of seals, with a restart after each move. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CreateKeyCommand, DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import { sealKinds, type SealKind } from '../../src/seals/seal.ts'
import { startTestServer } from '../harness.ts'
import { enough, noSealOf, testedSeal, type TestedSeal } from './every-seal.ts'

/** A round through all ordered pairs: `a b`, `b a`, `a c`, `c a`, …, `b c`, `c b`, … */
function roundThrough(kinds: readonly SealKind[]): readonly SealKind[] {
  const [first, ...others] = kinds
  if (first === undefined) return []
  const there = others.flatMap((other) => [first, other])
  const [next] = others
  return next === undefined ? [first] : [...there, first, ...roundThrough(others)]
}

interface Answer {
  readonly stage?: string
  readonly shares?: readonly string[]
}

test('a root key that moves between every two seals opens the same ciphertext', async (t) => {
  const seals = new Map<SealKind, TestedSeal>()
  for (const kind of sealKinds) {
    const missing = noSealOf(kind)
    if (missing === undefined) seals.set(kind, await testedSeal(t, kind))
    else t.diagnostic(`without the seal ${kind}: ${missing}`)
  }
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
  const ask = async (operation: string, given?: object) =>
    (await callOperator(server.directory, operation, given)) as Answer
  /** What the people of the current seal give. */
  let secrets: readonly string[] = []
  let current = first
  for (const next of moves) {
    const { setting, plan } = of(next)
    const planned = plan()
    let answer = await ask('BeginRekey', { seal: setting, ...planned.wanted })
    for (const secret of enough(secrets)) answer = await ask('ContinueRekey', { secret })
    secrets = planned.secretsOf(answer)
    for (const secret of secrets) answer = await ask('ContinueRekey', { secret })
    assert.equal(answer.stage, 'done', `${current} ${next}`)
    current = next
    await server.stop('keep')
    server = await start(next, server.directory)
    for (const secret of enough(secrets)) await ask('Unseal', { secret })
    await server.server.ready
    const { Plaintext } = await server.client().send(new DecryptCommand({ CiphertextBlob }))
    assert.equal(Buffer.from(Plaintext ?? []).toString(), 'hello', `after ${current}`)
  }
})
