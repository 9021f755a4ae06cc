/**
 * GetFederationToken — issues temporary credentials for a federated user, who may do what both the
 * caller's policies and the session's policies allow.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
 * @module
 */
import type { GetFederationTokenRequest, GetFederationTokenResponse } from '@aws-sdk/client-sts'
import { required } from '../../model/shape.ts'
import { checkTags } from '../iam/members.ts'
import { stsOperation } from '../contract/query-operation.ts'
import {
  federatedName,
  policyArns,
  sessionPolicy,
  sessionTags,
  tokenSeconds,
  tokenSize,
} from './members.ts'
import { auditedSizes, makeSession, sessionPolicies, tagContext } from './new-session.ts'
import { checkIdentityPolicy } from '../iam/identity-policy.ts'
import { expiry, tokenSecondsOf } from './lifetime.ts'

export const getFederationToken = stsOperation<
  GetFederationTokenRequest,
  GetFederationTokenResponse
>()({
  name: 'GetFederationToken',
  input: {
    Name: required(federatedName),
    Policy: sessionPolicy,
    PolicyArns: policyArns,
    DurationSeconds: tokenSeconds,
    Tags: sessionTags,
    MinimumSessionTokenSize: tokenSize,
  },
  permissions: ({ Name, Tags = [] }) =>
    ['sts:GetFederationToken', ...(Tags.length > 0 ? ['sts:TagSession'] : [])].map((action) => ({
      action,
      stsResource: `federated-user/${Name}`,
    })),
  context: ({ Tags }) => tagContext(Tags),
  readOnly: false,
  audit: ['Name', 'Policy', 'PolicyArns', 'DurationSeconds', 'Tags'],
  auditResponse: ({ Credentials, FederatedUser, ...sizes }) => ({
    credentials: {
      accessKeyId: Credentials?.AccessKeyId,
      expiration: Credentials?.Expiration,
    },
    federatedUser: { federatedUserId: FederatedUser?.FederatedUserId, arn: FederatedUser?.Arn },
    ...auditedSizes(sizes),
  }),
  throws: [
    'ValidationException',
    'InvalidInputException',
    'AccessDeniedException',
    'MalformedPolicyDocumentException',
    'NoSuchEntityException',
    'PackedPolicyTooLargeException',
  ],
  check: ({ Tags }) => checkTags(Tags),
  async run({ input, caller, partition }, dependencies) {
    const { Name: name, Tags: tags = [], DurationSeconds } = input
    const { accountId } = caller
    const issuedAt = dependencies.clock.now()
    const made = makeSession(
      dependencies,
      {
        kind: 'federated',
        accountId,
        principalId: caller.uniqueId,
        name,
        issuedAt,
        expiresAt: expiry(issuedAt, tokenSecondsOf(DurationSeconds, caller)),
        sourceAccessKeyId: caller.accessKeyId ?? '',
        chained: false,
        ...(await sessionPolicies(
          input,
          { accountId, partition },
          dependencies,
          checkIdentityPolicy,
        )),
        tags,
        transitiveTagKeys: [],
      },
      input.MinimumSessionTokenSize,
    )
    return {
      ...made,
      FederatedUser: {
        FederatedUserId: `${accountId}:${name}`,
        Arn: `arn:${partition}:sts::${accountId}:federated-user/${name}`,
      },
    }
  },
})
