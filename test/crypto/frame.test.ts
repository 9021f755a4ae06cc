import assert from 'node:assert/strict'
import { createCipheriv, createHmac, createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import { encodeHeader, parseBlob } from '../../src/crypto/blob.ts'
import { canonicalContext } from '../../src/crypto/encryption-context.ts'
import { NotAuthentic } from '../../src/crypto/keyring.ts'
import { openMessage } from '../../src/crypto/symmetric.ts'

const bytes = Buffer.alloc(32, 7)
const materialId = Buffer.alloc(32, 9)
const [nonce, iv] = [Buffer.alloc(16, 1), Buffer.alloc(12, 2)]
const context = canonicalContext({}) ?? assert.fail()

/** Seals `inner` unchanged, as anyone with the material could. */
function sealInner(inner: Buffer): Buffer {
  const fields = { kind: 'ciphertext', materialId, nonce, iv } as const
  const header = encodeHeader(fields, inner.length - 11)
  const parts = ['00000001', '7472656e743a6d6573736167652d6b65793a31', '00']
  const fixed = Buffer.concat(parts.map((part) => Buffer.from(part, 'hex')))
  const input = Buffer.concat([fixed, materialId, nonce, Buffer.from('00000100', 'hex')])
  const key = createHmac('sha256', bytes).update(input).digest()
  const length = Buffer.of(0, 0, 0, context.length)
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  cipher.setAAD(Buffer.concat([Buffer.from('trent:blob:1'), header, length, context]))
  return Buffer.concat([header, cipher.update(inner), cipher.final(), cipher.getAuthTag()])
}

function open(blob: Buffer): Buffer {
  const material = { key: createSecretKey(bytes), materialId }
  return openMessage(material, parseBlob(blob) ?? assert.fail('not a blob'), context)
}

test('a frame of version 01 and ten zeros opens', () => {
  const inner = Buffer.concat([Buffer.of(1), Buffer.alloc(10), Buffer.from('text')])
  assert.equal(open(sealInner(inner)).toString(), 'text')
})

test('a well-sealed frame with any other inner byte is refused', () => {
  for (let index = 0; index < 11; index += 1) {
    const inner = Buffer.concat([Buffer.of(1), Buffer.alloc(10), Buffer.from('text')])
    inner[index] = (inner[index] ?? 0) ^ 0x40
    assert.throws(() => open(sealInner(inner)), NotAuthentic, `inner byte ${index}`)
  }
})
