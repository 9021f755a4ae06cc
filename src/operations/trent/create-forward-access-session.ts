/**
 * CreateForwardAccessSession — `POST /_trent/fas`: a service that received a signed request proves it and
 * gets a short session, in which it may use keys on behalf of the user who signed.
 * @see docs/services.md
 * @see docs/adr/0015-forward-access-sessions.md
 * @module
 */
import { integer, required, stringMap, text } from '../../model/shape.ts'
import { callingServiceOf, serviceOperation } from './service-operation.ts'

export interface CreatedForwardAccessSession {
  /** The value for the header `X-Amz-Forward-Access-Session`. */
  readonly forwardAccessSession: string
  /** ISO 8601, UTC. */
  readonly expiration: string
  /** ARN of the user who signed. */
  readonly arn: string
  readonly accountId: string
  readonly userId: string
  /** The chain of services, from the one that the user called to the calling one. */
  readonly calledVia: readonly string[]
}

const lifetimeSecondsMax = 900

export const createForwardAccessSession = serviceOperation<CreatedForwardAccessSession>()({
  name: 'CreateForwardAccessSession',
  input: {
    method: required(text({ min: 1, max: 16, pattern: '^[A-Z]+$' })),
    path: required(text({ min: 1, max: 8192 })),
    query: text({ max: 16_384 }),
    headers: required(stringMap()),
    payloadHash: required(text({ min: 1, max: 64 })),
    durationSeconds: integer({ min: 60, max: lifetimeSecondsMax }),
  },
  readOnly: false,
  // Not the query and the headers: they may hold a signature and a session token.
  audit: ['method', 'path', 'durationSeconds'],
  auditResponse: ({ arn, accountId, calledVia, expiration }) => ({
    arn,
    accountId,
    calledVia,
    expiration,
  }),
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'MissingAuthenticationTokenException',
    'IncompleteSignatureException',
    'InvalidSignatureException',
    'UnrecognizedClientException',
    'ExpiredTokenException',
    'ThrottlingException',
  ],
  async run({ input, caller, partition, concerning }, { forwardAccess }) {
    const { accessKeyId } = callingServiceOf(caller)
    const { durationSeconds = lifetimeSecondsMax, query = '', ...rest } = input
    const {
      token,
      caller: user,
      expiresAt,
    } = await forwardAccess.prove({ ...rest, query }, accessKeyId, {
      partition,
      lifetimeMs: durationSeconds * 1000,
    })
    const { arn, accountId, uniqueId: userId, forwarded } = user
    concerning({ arn, accountId, type: 'AWS::IAM::Principal' })
    return {
      forwardAccessSession: token,
      expiration: new Date(expiresAt).toISOString(),
      arn,
      accountId,
      userId,
      calledVia: forwarded?.via ?? [],
    }
  },
})
