/** Two readers of `CiphertextForRecipient`: pkijs, and one that walks as the SDK for C does. @module */
import assert from 'node:assert/strict'
import { constants, createDecipheriv, privateDecrypt, type KeyObject } from 'node:crypto'
import { ContentInfo, EnvelopedData } from 'pkijs'

export async function openByPkijs(sealed: Uint8Array, key: KeyObject): Promise<Buffer> {
  const info = ContentInfo.fromBER(Uint8Array.from(sealed))
  assert.equal(info.contentType, '1.2.840.113549.1.7.3')
  const enveloped = new EnvelopedData({ schema: info.content })
  const pkcs8 = key.export({ format: 'der', type: 'pkcs8' })
  const recipientPrivateKey = Uint8Array.from(pkcs8).buffer
  return Buffer.from(await enveloped.decrypt(0, { recipientPrivateKey }))
}

/**
 * Reads outer elements by their headers alone, and inner ones whole. Like the SDK for C, it skips an element
 * of definite length where it expects an indefinite one, and then finds nothing.
 */
export function openLikeTheSdkForC(sealed: Buffer, key: KeyObject): Buffer {
  let at = 0
  const enter = (head: string): void => {
    assert.equal(sealed.toString('hex', at, at + head.length / 2), head)
    at += head.length / 2
  }
  const whole = (tag: number, from = at): { readonly content: Buffer; readonly end: number } => {
    assert.equal(sealed[from], tag)
    const first = sealed[from + 1] ?? 0
    const more = first < 0x80 ? 0 : first - 0x80
    const length = more === 0 ? first : sealed.readUIntBE(from + 2, more)
    const start = from + 2 + more
    return { content: sealed.subarray(start, start + length), end: start + length }
  }
  enter('308006092a864886f70d010703a0803080020102')
  const recipients = whole(0x31)
  const recipient = whole(0x30, recipients.end - recipients.content.length)
  const identifier = whole(0x80, recipient.end - recipient.content.length + 3)
  const sealedKey = whole(0x04, whole(0x30, identifier.end).end)
  assert.equal(sealedKey.end, recipients.end)
  at = recipients.end
  enter('308006092a864886f70d010701')
  const algorithm = whole(0x30)
  const iv = algorithm.content.subarray(-16)
  at = algorithm.end
  enter('a080')
  const content = whole(0x04)
  at = content.end
  enter('0000000000000000')
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  const contentKey = privateDecrypt({ key, padding, oaepHash: 'sha256' }, sealedKey.content)
  const cipher = createDecipheriv('aes-256-cbc', contentKey, iv)
  return Buffer.concat([cipher.update(content.content), cipher.final()])
}
