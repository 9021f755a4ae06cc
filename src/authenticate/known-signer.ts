/**
 * What the head of a request says of its signer while its body is still on the way. Nothing is proved: a
 * request is only refused here that would be refused with any body.
 * @module
 */
import type { RequestHead } from '../wire/request.ts'
import { readHeaders, readQuery } from './canonical.ts'
import { readClaim } from './claim.ts'
import {
  requireFresh,
  requireScope,
  splitTarget,
  unrecognized,
  usable,
  type Expected,
} from './signature-v4.ts'
import type { CredentialLookup } from './credential.ts'

/**
 * Refuses a request without a signature, one that is stale, and one whose access key is not there, is not
 * active or does not belong to its session token. Errors and their order are those of `authenticate`, so
 * that nobody learns more here than by a whole request.
 * @param expected `services`: those that the request may be for, as far as its head tells
 * @throws {KmsError}
 */
export async function requireKnownSigner(
  head: RequestHead,
  expected: Pick<Expected, 'regions' | 'systemNow'> & { readonly services: readonly string[] },
  credentials: CredentialLookup,
): Promise<void> {
  const { query } = splitTarget(head.target)
  const claim = readClaim(readHeaders(head.rawHeaders), readQuery(query))
  requireFresh(claim, Math.floor(expected.systemNow / 1000))
  const { services, regions } = expected
  const service = services.find((name) => name === claim.scope.service)
  // Of several services the body says which one is called, and with it whether the scope is right.
  if (service !== undefined || services.length === 1) {
    requireScope(claim, { service: service ?? services[0] ?? '', regions })
  }
  if ((await usable(claim, credentials)) === undefined) throw unrecognized()
}
