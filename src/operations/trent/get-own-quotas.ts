/**
 * GetOwnQuotas — `POST /_trent/quotas`: returns the quotas of the caller's account in a Region, and their
 * usage. The console asks it with the credentials of its user.
 * @see docs/adr/0048-operators-in-the-console.md
 * @module
 */
import { shownQuotas, type QuotasAnswer } from './shown-quotas.ts'
import { trentOperation } from './trent-operation.ts'

export const getOwnQuotas = trentOperation<QuotasAnswer>()({
  name: 'GetOwnQuotas',
  door: 'signed',
  input: {},
  permissions: () => [{ action: 'console:GetOwnQuotas' }],
  readOnly: true,
  audit: [],
  throws: ['ValidationException', 'AccessDeniedException'],
  run: ({ caller: { accountId }, region }, dependencies) =>
    shownQuotas({ accountId, region }, dependencies),
})
