/**
 * Checks the signer that a request's head claims, while its body is still arriving. It proves nothing:
 * it only refuses requests that would be refused with any body.
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
 * Refuses a request that is unsigned, stale, or signed with an access key that does not exist, is not
 * active or does not belong to its session token. Errors and their order equal those of `authenticate`,
 * so that a head reveals no more than a whole request.
 * @param expected `services`: the possible services of the request, as far as its head says
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
  // With several services, the body says which one is called, and so whether the scope is right.
  if (service !== undefined || services.length === 1) {
    requireScope(claim, { service: service ?? services[0] ?? '', regions })
  }
  if ((await usable(claim, credentials)) === undefined) throw unrecognized()
}
