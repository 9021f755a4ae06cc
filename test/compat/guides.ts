/** What the tests of the guides' examples share. @module */
import { EncryptCommand, type KMSClient } from '@aws-sdk/client-kms'
import { accountId } from '../harness.ts'
import { denied } from './identities.ts'

export const Plaintext = Buffer.from('x')
export const account = `arn:aws:iam::${accountId}:root`

export function policy(...statements: readonly object[]): string {
  const Statement = statements.map((statement) => ({
    Effect: 'Allow',
    Resource: '*',
    ...statement,
  }))
  return JSON.stringify({ Version: '2012-10-17', Statement })
}
export const delegating = { Principal: { AWS: account }, Action: 'kms:*' }

export const encrypt = (kms: KMSClient, KeyId: string): Promise<unknown> =>
  kms.send(new EncryptCommand({ KeyId, Plaintext }))
export const refused = (call: Promise<unknown>, message: RegExp = /is not authorized to perform/) =>
  denied(call, 'AccessDeniedException', 400, message)
