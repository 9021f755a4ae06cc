/**
 * What the tests of the wire do with the official SDK's client: make a key, read an answer, a
 * refusal.
 * @module
 */
import assert from 'node:assert/strict'
import { CreateKeyCommand, type CreateKeyCommandInput, type KMSClient } from '@aws-sdk/client-kms'

export interface MadeKey {
  readonly keyId: string
  readonly arn: string
  readonly materialId: string
}

export async function makeKey(kms: KMSClient, input: CreateKeyCommandInput = {}): Promise<MadeKey> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand(input))
  assert(KeyMetadata?.KeyId && KeyMetadata.Arn && KeyMetadata.CurrentKeyMaterialId)
  const { KeyId: keyId, Arn: arn, CurrentKeyMaterialId: materialId } = KeyMetadata
  return { keyId, arn, materialId }
}

/** The answer's own members, without those that the client adds. */
export async function answerOf(call: Promise<object>): Promise<Record<string, unknown>> {
  const { $metadata, ...members } = (await call) as Record<string, unknown>
  const { httpStatusCode, requestId } = $metadata as Record<string, unknown>
  assert.equal(httpStatusCode, 200)
  assert.match(String(requestId), /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/)
  return members
}

/** What the SDK says of an exception that travels without a message. */
const saidForNothing = 'UnknownError'

/**
 * The call must be refused, with just this code and message.
 * @param message left out for the exceptions that AWS sends without one
 */
export async function refused(
  call: Promise<unknown>,
  code: string,
  message?: string,
): Promise<void> {
  const error: unknown = await call.then(
    () => assert.fail(`it must be refused with ${code}`),
    (reason: unknown) => reason,
  )
  assert(error instanceof Error)
  assert.deepEqual([error.name, error.message], [code, message ?? saidForNothing])
  const { $metadata } = error as Error & { readonly $metadata?: { httpStatusCode?: number } }
  assert.equal($metadata?.httpStatusCode, 400)
}

export function validationError(...items: readonly string[]): string {
  const errors = items.length === 1 ? 'error' : 'errors'
  return `${items.length} validation ${errors} detected: ${items.join('; ')}`
}

/** One item of a validation error. */
export function fails(value: string, path: string, constraint: string): string {
  const shown = value === '' ? '' : `${value} `
  return `Value ${shown}at '${path}' failed to satisfy constraint: Member must ${constraint}`
}
