/** A server that trusts the tests' own attester, and what its tests of `Recipient` share. @module */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { CreateKeyCommand, EncryptCommand, type RecipientInfo } from '@aws-sdk/client-kms'
import { readRecords } from '../../src/audit/journal/read-records.ts'
import { attest, createAttester, recipient } from '../crypto/attestation/attester.ts'
import { openByPkijs, openLikeTheSdkForC } from '../crypto/attestation/open-sealed.ts'
import { startTestServer } from '../harness.ts'

export const attester = await createAttester()
const folder = mkdtempSync(join(tmpdir(), 'trent-roots-'))
const roots = join(folder, 'roots.pem')
writeFileSync(roots, new X509Certificate(attester.root.der).toString())
export const server = await startTestServer({
  TRENT_ATTESTATION_ROOTS: roots,
  TRENT_TEST_API: 'on',
})
export const kms = server.client()

after(async () => {
  await server.stop()
  rmSync(folder, { recursive: true })
})

export const KeyEncryptionAlgorithm = 'RSAES_OAEP_SHA_256'

export function recipientOf(changes: Readonly<Record<string, unknown>> = {}): RecipientInfo {
  return { KeyEncryptionAlgorithm, AttestationDocument: attest(attester, changes) }
}

export async function newKey(...statements: readonly object[]): Promise<string> {
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: statements })
  const input = statements.length === 0 ? {} : { Policy, BypassPolicyLockoutSafetyCheck: true }
  const { KeyMetadata } = await kms.send(new CreateKeyCommand(input))
  assert(KeyMetadata?.KeyId)
  return KeyMetadata.KeyId
}

export async function sealed(KeyId: string, text: string): Promise<Uint8Array> {
  const Plaintext = Buffer.from(text)
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  assert(CiphertextBlob)
  return CiphertextBlob
}

export async function opened(sealedFor: Uint8Array | undefined): Promise<string> {
  assert(sealedFor)
  const plaintext = await openByPkijs(sealedFor, recipient.privateKey)
  assert.deepEqual(openLikeTheSdkForC(Buffer.from(sealedFor), recipient.privateKey), plaintext)
  return plaintext.toString('latin1')
}

/** All that is in the journal, each record as its JSON text, oldest first. */
export async function recordTexts(): Promise<readonly string[]> {
  const texts: string[] = []
  await readRecords(join(server.directory, 'journal'), (text) => texts.push(text))
  return texts
}

export async function lastRecord(): Promise<Readonly<Record<string, unknown>>> {
  return JSON.parse((await recordTexts()).at(-1) ?? '') as Readonly<Record<string, unknown>>
}

export async function refused(
  call: Promise<unknown>,
  name: string,
  message: string,
): Promise<void> {
  await assert.rejects(call, { name, message })
  const { errorCode } = await lastRecord()
  assert.equal(errorCode, name === 'AccessDeniedException' ? 'AccessDenied' : name)
}
