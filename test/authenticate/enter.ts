/**
 * Sends a request through authentication, and says what it must answer.
 * @module
 */
import assert from 'node:assert/strict'
import { authenticate, type Authenticated } from '../../src/authenticate/signature-v4.ts'
import { createSigningKeys } from '../../src/authenticate/signing-keys.ts'
import { createRegionTable, parseRegions } from '../../src/model/region.ts'
import type { RawRequest } from '../../src/wire/request.ts'
import { credential, signedAt } from './signer.ts'
import type { Credential } from '../../src/authenticate/credential.ts'

export const regions = createRegionTable(parseRegions('moon-north-2:aws-moon'))
export const minute = 60_000

interface Server {
  readonly credentials?: readonly Credential[]
  readonly systemNow?: number
}

/** A request's way through, and how many look-ups it took. */
export async function enter(
  request: RawRequest,
  { credentials = [credential], systemNow = signedAt }: Server = {},
): Promise<Authenticated & { readonly lookups: number }> {
  let lookups = 0
  const lookup = (accessKeyId: string): Promise<Credential | undefined> => {
    lookups += 1
    return Promise.resolve(credentials.find((one) => one.accessKeyId === accessKeyId))
  }
  const expected = { service: 'kms', regions, systemNow }
  try {
    const found = await authenticate(request, expected, lookup, createSigningKeys(10))
    return { ...found, lookups }
  } catch (error) {
    throw Object.assign(error as Error, { lookups }) // all that is thrown here is an Error
  }
}

/** Refused before any look-up. */
export async function refusedUnread(request: RawRequest, message: string | RegExp): Promise<void> {
  const code = 'IncompleteSignatureException'
  await assert.rejects(enter(request), { code, message, lookups: 0 })
}

export const wrong = {
  code: 'InvalidSignatureException',
  message:
    'The request signature we calculated does not match the signature you provided. ' +
    'Check your AWS Secret Access Key and signing method. ' +
    'Consult the service documentation for details.',
}
export const unknown = {
  code: 'UnrecognizedClientException',
  message: 'The security token included in the request is invalid.',
}
