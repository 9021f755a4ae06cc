/**
 * GetSessionToken — issues temporary credentials of the calling user. It needs no permission.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
 * @module
 */
import type { GetSessionTokenRequest, GetSessionTokenResponse } from '@aws-sdk/client-sts'
import { stsOperation } from '../contract/query-operation.ts'
import { refuseMfa, serialNumber, tokenCode, tokenSeconds, tokenSize } from './members.ts'
import { auditedSizes, makeSession } from './new-session.ts'
import { expiry, tokenSecondsOf } from './lifetime.ts'

export const getSessionToken = stsOperation<GetSessionTokenRequest, GetSessionTokenResponse>()({
  name: 'GetSessionToken',
  input: {
    DurationSeconds: tokenSeconds,
    SerialNumber: serialNumber,
    TokenCode: tokenCode,
    MinimumSessionTokenSize: tokenSize,
  },
  readOnly: false,
  audit: ['DurationSeconds', 'SerialNumber'],
  auditResponse: ({ Credentials, ...sizes }) => ({
    credentials: {
      accessKeyId: Credentials?.AccessKeyId,
      expiration: Credentials?.Expiration,
    },
    ...auditedSizes(sizes),
  }),
  throws: ['ValidationException', 'AccessDeniedException'],
  check: refuseMfa,
  run({ input, caller }, dependencies) {
    const issuedAt = dependencies.clock.now()
    const made = makeSession(
      dependencies,
      {
        kind: 'user',
        accountId: caller.accountId,
        principalId: caller.uniqueId,
        name: '',
        issuedAt,
        expiresAt: expiry(issuedAt, tokenSecondsOf(input.DurationSeconds, caller)),
        sourceAccessKeyId: caller.accessKeyId ?? '',
        chained: false,
        policyIds: [],
        tags: [],
        transitiveTagKeys: [],
      },
      input.MinimumSessionTokenSize,
    )
    return Promise.resolve(made)
  },
})
