/** What two nodes do with a key store that they share. @module */
import assert from 'node:assert/strict'
import { DecryptCommand, EncryptCommand, type KMSClient } from '@aws-sdk/client-kms'
import { eventually } from '../start/node-process.ts'
import { entryOf } from './external-store.ts'

const Plaintext = Buffer.from('plaintext')
/** Far more than a busy machine needs. */
export const settledMsMax = 120_000

/** Waits for a state of the connection. */
export async function reaches(
  kms: KMSClient,
  CustomKeyStoreId: string,
  state: string,
): Promise<void> {
  await eventually(settledMsMax, async () => {
    const { ConnectionState, ConnectionErrorCode } = await entryOf(kms, CustomKeyStoreId)
    assert.equal(ConnectionErrorCode, undefined)
    return ConnectionState === state
  })
}

export async function encrypt(kms: KMSClient, KeyId: string): Promise<Uint8Array> {
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  return CiphertextBlob ?? new Uint8Array()
}

export async function decrypts(kms: KMSClient, CiphertextBlob: Uint8Array): Promise<void> {
  const opened = await kms.send(new DecryptCommand({ CiphertextBlob }))
  assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext)
}
