/**
 * The seal by a key of AWS KMS, or of another Trent. GenerateDataKey gives the seal's key; the record holds
 * that key as the KMS encrypted it, and a start has it decrypted. The encryption context binds it to this
 * deployment. The KMS sees the seal's key, and never the root key.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html
 * @module
 */
import type { KMSClient } from '@aws-sdk/client-kms'
import type { KeyObject } from 'node:crypto'
import { takeSecretKey } from '../crypto/derive.ts'
import type { Random } from '../model/clock.ts'
import { SealRefused, SealUnavailable, unattended, type Seal } from './seal.ts'
import { damaged, openRecord, readHeader, sealKeyBytes, sealRecord } from './sealed-record.ts'

const kind = 'kms'
const callMsDefault = 10_000
const ciphertextBytesMax = 6144

export interface KmsKey {
  /** The ARN of a key or an alias. */
  readonly arn: string
  /** Another server than AWS's. */
  readonly endpoint?: string
  /** Milliseconds for all attempts of one call. */
  readonly callMsMax?: number
}

/** Answers that no later attempt changes: the stored ciphertext is not what this key made. */
const finalErrors: ReadonlySet<string> = new Set([
  'InvalidCiphertextException',
  'IncorrectKeyException',
])

export function kmsSeal(key: KmsKey, random: Random): Seal {
  return {
    kind,
    asks: 'nothing',
    startsAlone: false,
    async seal(rootKey, deploymentId) {
      const { GenerateDataKeyCommand } = await import('@aws-sdk/client-kms')
      const command = new GenerateDataKeyCommand({
        KeyId: key.arn,
        NumberOfBytes: sealKeyBytes,
        EncryptionContext: contextOf(deploymentId),
      })
      const answer = await called(key, (client, abortSignal) =>
        client.send(command, { abortSignal }),
      )
      const ciphertext = Buffer.from(answer.CiphertextBlob ?? [])
      const sealKey = sealKeyOf(answer.Plaintext)
      if (ciphertext.length === 0 || ciphertext.length > ciphertextBytesMax) {
        throw new SealUnavailable(`the KMS gave no ciphertext under ${key.arn}`)
      }
      const header = { kind, ciphertext: ciphertext.toString('base64') } as const
      return { record: sealRecord(sealKey, header, rootKey, deploymentId, random) }
    },
    open(record, deploymentId) {
      const ciphertext = readCiphertext(record)
      return unattended(async () => {
        const { DecryptCommand } = await import('@aws-sdk/client-kms')
        // The key is the settings': whoever can write the database must not name another one.
        const command = new DecryptCommand({
          KeyId: key.arn,
          CiphertextBlob: ciphertext,
          EncryptionContext: contextOf(deploymentId),
        })
        const answer = await called(key, (client, abortSignal) =>
          client.send(command, { abortSignal }),
        )
        return openRecord(sealKeyOf(answer.Plaintext), record, deploymentId)
      })
    },
  }
}

function contextOf(deploymentId: string): Record<string, string> {
  return { 'trent:purpose': 'root-key', 'trent:deployment': deploymentId }
}

/** A client for one call: a seal calls once a start. */
async function called<T>(
  { arn, endpoint, callMsMax = callMsDefault }: KmsKey,
  call: (client: KMSClient, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { KMSClient: Client } = await import('@aws-sdk/client-kms')
  const region = arn.split(':')[3] ?? ''
  // Credentials come from the SDK's usual chain: the environment, a profile, the machine's role.
  const client = new Client({ region, maxAttempts: 2, ...(endpoint !== undefined && { endpoint }) })
  const signal = AbortSignal.timeout(callMsMax)
  try {
    return await call(client, signal)
  } catch (cause) {
    const name = cause instanceof Error ? cause.name : 'unknown'
    if (finalErrors.has(name)) {
      const message = `${arn} does not open this deployment's root key: the KMS says ${name}`
      throw new SealRefused(message, { cause })
    }
    const why = signal.aborted ? `it did not answer within ${callMsMax / 1000} seconds` : name
    throw new SealUnavailable(`the KMS cannot be used with ${arn}: ${why}`, { cause })
  } finally {
    client.destroy()
  }
}

function sealKeyOf(plaintext: Uint8Array | undefined): KeyObject {
  if (plaintext?.length !== sealKeyBytes) {
    throw new SealUnavailable('the KMS gave no data key of 32 bytes')
  }
  return takeSecretKey(plaintext)
}

/** Reads the ciphertext within bounds: nothing has proved it yet. */
function readCiphertext(record: Uint8Array): Uint8Array {
  const { ciphertext } = readHeader(record, kind)
  const bytes = Buffer.from(typeof ciphertext === 'string' ? ciphertext : '', 'base64')
  if (bytes.length === 0 || bytes.length > ciphertextBytesMax) throw damaged()
  return bytes
}
