/**
 * AssumeRoleWithWebIdentity — issues temporary credentials of a role to a user that an identity provider
 * authenticated and the role's trust policy allows. The call is not signed: its token identifies the
 * caller.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 * @module
 */
import assert from 'node:assert/strict'
import type {
  AssumeRoleWithWebIdentityRequest,
  AssumeRoleWithWebIdentityResponse,
} from '@aws-sdk/client-sts'
import { KmsError } from '../../errors.ts'
import type { WebIdentityCaller } from '../../model/caller.ts'
import type { Session } from '../../model/session.ts'
import { required, text } from '../../model/shape.ts'
import { stsOperation } from '../contract/query-operation.ts'
import { assumedRoleUser, auditedSession, requireRoleDuration } from './assumed-role.ts'
import { expiry } from './lifetime.ts'
import {
  policyArns,
  roleArn,
  roleSeconds,
  sessionName,
  sessionPolicy,
  tokenSize,
} from './members.ts'
import { checkRoleSessionPolicy } from '../iam/identity-policy.ts'
import { makeSession, sessionPolicies } from './new-session.ts'

export const assumeRoleWithWebIdentity = stsOperation<
  AssumeRoleWithWebIdentityRequest,
  AssumeRoleWithWebIdentityResponse
>()({
  name: 'AssumeRoleWithWebIdentity',
  door: 'token',
  input: {
    RoleArn: required(roleArn),
    RoleSessionName: required(sessionName),
    WebIdentityToken: required(text({ min: 4, max: 20_000, sensitive: true })),
    ProviderId: text({ min: 4, max: 2048 }),
    PolicyArns: policyArns,
    Policy: sessionPolicy,
    DurationSeconds: roleSeconds,
    MinimumSessionTokenSize: tokenSize,
  },
  token: { role: 'RoleArn', from: 'WebIdentityToken' },
  assumes: {
    from: 'RoleArn',
    actions: (_input, { webIdentity }) => [
      'sts:AssumeRoleWithWebIdentity',
      ...((webIdentity?.tags.length ?? 0) > 0 ? ['sts:TagSession'] : []),
      ...(webIdentity?.sourceIdentity === undefined ? [] : ['sts:SetSourceIdentity']),
    ],
  },
  context: ({ RoleSessionName }) => ({ 'sts:RoleSessionName': RoleSessionName }),
  readOnly: true,
  audit: ['RoleArn', 'RoleSessionName', 'ProviderId', 'PolicyArns', 'Policy', 'DurationSeconds'],
  auditResponse: (output) => ({
    ...auditedSession(output),
    subjectFromWebIdentityToken: output.SubjectFromWebIdentityToken,
    provider: output.Provider,
    audience: output.Audience,
  }),
  throws: [
    'ValidationException',
    'InvalidIdentityTokenException',
    'ExpiredIdentityTokenException',
    'IDPCommunicationErrorException',
    'AccessDeniedException',
    'MalformedPolicyDocumentException',
    'NoSuchEntityException',
    'PackedPolicyTooLargeException',
  ],
  check({ ProviderId }) {
    if (ProviderId === undefined) return
    // ProviderId names one of AWS's built-in OAuth 2.0 providers, and Trent has none.
    throw new KmsError('ValidationException', `Invalid provider: ${ProviderId}`)
  },
  async run({ input, caller, partition, assumed }, dependencies) {
    assert(assumed && caller.webIdentity, 'the pipeline has found the role and whose token it is')
    const { record, arn } = assumed
    const { webIdentity } = caller
    const issuedAt = dependencies.clock.now()
    const { accountId } = record
    const owner = { accountId, partition }
    const limits = await sessionPolicies(input, owner, dependencies, checkRoleSessionPolicy)
    const seconds = requireRoleDuration(input.DurationSeconds, record)
    const { RoleSessionName: name } = input
    const { provider, audience, subject, sourceIdentity, tags, transitiveTagKeys } = webIdentity
    const session: Session = {
      kind: 'role',
      accountId: record.accountId,
      principalId: record.roleId,
      name,
      issuedAt,
      expiresAt: expiry(issuedAt, seconds),
      chained: false,
      ...limits,
      tags,
      transitiveTagKeys,
      ...(sourceIdentity !== undefined && { sourceIdentity }),
      webIdentity: { provider, audience, subject, methods: methodsOf(webIdentity) },
    }
    const made = makeSession(dependencies, session, input.MinimumSessionTokenSize)
    return {
      ...made,
      ...assumedRoleUser(record, arn, name),
      SubjectFromWebIdentityToken: subject,
      Provider: caller.arn,
      Audience: audience,
      ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
    }
  },
})

function methodsOf({ claims }: WebIdentityCaller): readonly string[] {
  const methods = claims['amr'] ?? []
  return typeof methods === 'string' ? [methods] : methods
}
