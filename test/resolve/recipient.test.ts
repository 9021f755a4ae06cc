import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sealAnswer, type Recipient } from '../../src/resolve/recipient.ts'

const recipient: Recipient = {
  conditions: {},
  audited: {},
  seal: (plaintext) => Buffer.from(plaintext.map((byte) => byte ^ 0xff)),
}

test('a sealed answer has its ciphertext in the place of the plaintext, which is overwritten', () => {
  const Plaintext = Buffer.of(1, 2, 3)
  assert.deepEqual(sealAnswer({ KeyId: 'k', Plaintext }, 'Plaintext', recipient), {
    KeyId: 'k',
    CiphertextForRecipient: Buffer.of(254, 253, 252),
  })
  assert.deepEqual(Plaintext, Buffer.alloc(3))
})

test('an answer without what is to be sealed never leaves', () => {
  for (const output of [{}, { Plaintext: 'text' }, { Secret: Buffer.of(1) }]) {
    assert.throws(() => sealAnswer(output, 'Plaintext', recipient), {
      name: 'TypeError',
      message: 'no Plaintext to seal',
    })
  }
})

test('a plaintext that cannot be sealed is overwritten all the same', () => {
  const Plaintext = Buffer.of(1, 2, 3)
  const seal = (): Buffer => {
    throw new Error('no randomness')
  }
  assert.throws(() => sealAnswer({ Plaintext }, 'Plaintext', { ...recipient, seal }))
  assert.deepEqual(Plaintext, Buffer.alloc(3))
})
